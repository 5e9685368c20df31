package editor_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

func (w *world) firstPrompt() string { return string(w.o.Library.Prompts[0].ID) }

// A link lets in once, and only by the button: looking at it as often as one likes uses nothing up.
func TestLinkWorksOnce(t *testing.T) {
	w := served(t, nil)
	link, err := w.ed.Link(t.Context(), anna, prompts.Dutch)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil || u.Path != "/library/in" || u.RawQuery != "" || len(u.Fragment) < 26 {
		t.Fatalf("%v", err)
	}
	c := w.client()
	for range 3 { // a preview, a scanner, a curious proxy
		if status := c.get("/library/in"); status != http.StatusOK || strings.Contains(c.last, u.Fragment) || !strings.Contains(c.last, "<button") {
			t.Errorf("%d", status)
		}
	}
	for _, path := range []string{"/library/in?code=" + u.Fragment, "/library/in/" + u.Fragment} {
		c.get(path)
	}
	if status := c.get("/library/"); status != http.StatusUnauthorized {
		t.Errorf("a GET signed in: %d", status)
	}
	if status := c.enter(u.Fragment); status != http.StatusOK || !strings.Contains(c.last, "Je bent ingelogd.") {
		t.Fatalf("%d\n%s", status, c.main())
	}
	if status := c.enter(u.Fragment); status != http.StatusOK || !strings.Contains(c.last, "Vragen in de bibliotheek") { // a tab that was open still
		t.Errorf("used again where somebody is signed in: %d", status)
	}
	other := w.client()
	if status := other.enter(u.Fragment); status != http.StatusForbidden || !strings.Contains(other.last, "al gebruikt") {
		t.Errorf("used twice: %d", status)
	}
	// The whole link may be pasted, and lower case is no obstacle.
	if status := w.client().enter("  " + w.server.URL + "/library/in#" + strings.ToLower(w.code(bob, prompts.English)) + " "); status != http.StatusOK {
		t.Errorf("pasted: %d", status)
	}
	// Only the newest few of an editor stand.
	first := w.code(anna, prompts.Dutch)
	for range 3 {
		w.code(anna, prompts.Dutch)
	}
	if status := w.client().enter(first); status != http.StatusForbidden {
		t.Errorf("the fourth link from the back: %d", status)
	}
	if log := w.log.String(); strings.Contains(log, u.Fragment) || strings.Contains(log, "anna") {
		t.Error("the log holds a code or an account")
	}
}

// served without sockets, so that time can be turned.
func ask(h http.Handler, method, path, cookie string, body url.Values, change func(*http.Request)) *http.Response {
	r := httptest.NewRequest(method, "http://127.0.0.1:8480"+path, strings.NewReader(body.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	if change != nil {
		change(r)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Result()
}

func cookieOf(r *http.Response) string {
	for _, c := range r.Cookies() {
		return c.Name + "=" + c.Value
	}
	return ""
}

// Links end after ten minutes, sessions after two hours of silence and after twelve hours whatever happens.
func TestTimeRunsOut(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, nil)
		if err := w.ed.At("http://127.0.0.1:8480"); err != nil {
			t.Fatal(err)
		}
		h := w.ed.Handler()
		enter := func(code string) (int, string) {
			r := ask(h, http.MethodPost, "/library/in", "", url.Values{"code": {code}}, nil)
			return r.StatusCode, cookieOf(r)
		}
		open := func(cookie string) int {
			return ask(h, http.MethodGet, "/library/exchange", cookie, nil, nil).StatusCode
		}
		old, fresh := w.code(anna, prompts.Dutch), ""
		chattest.Until(time.Now().Add(9*time.Minute + 59*time.Second))
		fresh = w.code(anna, prompts.Dutch)
		chattest.Until(time.Now().Add(2 * time.Second))
		if status, _ := enter(old); status != http.StatusForbidden {
			t.Errorf("after ten minutes: %d", status)
		}
		status, cookie := enter(fresh)
		if status != http.StatusSeeOther || open(cookie) != http.StatusOK {
			t.Fatalf("%d %q", status, cookie)
		}
		began := time.Now()
		for time.Since(began) < 12*time.Hour-2*time.Hour {
			chattest.Until(time.Now().Add(2*time.Hour - time.Second))
			if status := open(cookie); status != http.StatusOK {
				t.Fatalf("at work for %s: %d", time.Since(began), status)
			}
		}
		chattest.Until(began.Add(12 * time.Hour))
		if status := open(cookie); status != http.StatusUnauthorized {
			t.Errorf("after twelve hours: %d", status)
		}
		_, cookie = enter(w.code(anna, prompts.Dutch))
		chattest.Until(time.Now().Add(2 * time.Hour))
		if status := open(cookie); status != http.StatusUnauthorized {
			t.Errorf("after two silent hours: %d", status)
		}
		// Wrong codes are slowed down, and a right one still lets in.
		limited := 0
		for range 200 {
			if status, _ := enter("AAAAAAAAAAAAAAAAAAAAAAAAAA"); status == http.StatusTooManyRequests {
				limited++
			}
		}
		if limited < 150 {
			t.Errorf("%d of 200 guesses were slowed down", limited)
		}
		status, cookie = enter(w.code(bob, prompts.Dutch))
		if status != http.StatusSeeOther {
			t.Errorf("a flood keeps editors out: %d", status)
		}
		// So are the requests of a session; a breath later it goes on.
		for range 200 {
			status = open(cookie)
		}
		if status != http.StatusTooManyRequests {
			t.Errorf("200 pages at once: %d", status)
		}
		chattest.Until(time.Now().Add(10 * time.Second))
		if status := open(cookie); status != http.StatusOK {
			t.Errorf("after ten seconds: %d", status)
		}
	})
}

// A session is its browser's until it signs out, and ends with the right. Restarting forgets all.
func TestSessionsEnd(t *testing.T) {
	w := served(t, nil)
	c := w.in(anna, prompts.Dutch)
	at, _ := url.Parse(w.server.URL + "/library/")
	stolen := c.http.Jar.Cookies(at)
	if len(stolen) != 1 {
		t.Fatal("no cookie")
	}
	thief := w.client()
	thief.http.Jar.SetCookies(at, stolen)
	c.get("/library/")
	c.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error { // other things live on this origin
		if r.Response.Header.Get("Clear-Site-Data") != "" {
			t.Error("signing out wipes what others keep on this origin")
		}
		return nil
	}
	if status := c.press("/library/out", nil); status != http.StatusOK || !strings.Contains(c.last, "Je bent uitgelogd.") {
		t.Errorf("%d", status)
	}
	for name, who := range map[string]*client{"its own browser": c, "a stolen cookie": thief} {
		if status := who.get("/library/"); status != http.StatusUnauthorized {
			t.Errorf("%s after signing out: %d", name, status)
		}
	}
	// Two sessions: a form of one is of no use in the other.
	a, b := w.in(anna, prompts.Dutch), w.in(bob, prompts.Dutch)
	path := "/library/entry/prompt/" + w.firstPrompt()
	a.get(path)
	b.last = a.last
	if status := b.press(path+"/retire", nil); status != http.StatusForbidden || !strings.Contains(b.last, "hoort niet bij je sessie") {
		t.Errorf("somebody else's form: %d", status)
	}
	// Who is no editor any more is out at the next request, also in the middle of a form.
	fired := served(t, func(o *bot.Options) { o.Editors = []bot.ActorID{bob} })
	fired.bot.Appoint(nil, []bot.ActorID{anna})
	f := fired.in(anna, prompts.Dutch)
	f.get(path)
	code := fired.code(anna, prompts.Dutch)
	fired.bot.Appoint(nil, nil)
	if status := f.press(path+"/retire", nil); status != http.StatusUnauthorized {
		t.Errorf("no editor any more: %d", status)
	}
	if entry, err := fired.bot.Entry(t.Context(), bot.EntryKey{Kind: bot.EntryPrompt, ID: fired.firstPrompt()}); err != nil || entry.Prompt.Status == prompts.Retired {
		t.Errorf("%v", err)
	}
	if status := f.enter(code); status != http.StatusForbidden {
		t.Errorf("a link from before: %d", status)
	}
	fired.bot.Appoint(nil, []bot.ActorID{anna})
	if status := f.get("/library/"); status != http.StatusUnauthorized {
		t.Errorf("the right comes back, the session does not: %d", status)
	}
	// Cookies made up or doubled.
	for _, raw := range []string{"weerklank-library=x", "weerklank-library=" + stolen[0].Value + "; weerklank-library=" + stolen[0].Value, "__Host-weerklank-library=x"} {
		x := w.client()
		x.head.Set("Cookie", raw)
		if status := x.get("/library/"); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", raw, status)
		}
	}
	many := w.in(bob, prompts.Dutch) // the sixth session of an editor ends the one that was silent longest
	for range 5 {
		w.in(bob, prompts.Dutch)
	}
	if status := many.get("/library/"); status != http.StatusUnauthorized {
		t.Errorf("a sixth session: %d", status)
	}
}

// The cookie, and what every answer says of itself.
func TestHeaders(t *testing.T) {
	for public, want := range map[string]http.Cookie{
		"https://bot.example.org":     {Name: "__Host-weerklank-library", Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode},
		"http://127.0.0.1:8480":       {Name: "weerklank-library", Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode},
		"https://example.org/chatbot": {Name: "__Host-weerklank-library", Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode},
	} {
		w := newWorld(t, nil)
		if err := w.ed.At(public); err != nil {
			t.Fatal(err)
		}
		h := w.ed.Handler()
		link, err := w.ed.Link(t.Context(), anna, prompts.Dutch)
		if err != nil || !strings.HasPrefix(link, public+"/library/in#") {
			t.Fatalf("%v", err)
		}
		_, code, _ := strings.Cut(link, "#")
		in := ask(h, http.MethodPost, "/library/in", "", url.Values{"code": {code}}, nil)
		cookies := in.Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%s: %d cookies", public, len(cookies))
		}
		got := cookies[0]
		if got.Name != want.Name || got.Path != want.Path || got.Secure != want.Secure || !got.HttpOnly || got.SameSite != want.SameSite || got.Domain != "" || len(got.Value) < 26 {
			t.Errorf("%s: %v", public, got.Name)
		}
		at, _ := url.Parse(public)
		if to := in.Header.Get("Location"); to != at.Path+"/library/?done=in" {
			t.Errorf("%s leads to %s", public, to)
		}
		for _, path := range []string{"/library/", "/library/in", "/library/nergens", "/library/entry/prompt/" + w.firstPrompt(), "/library/export/library.toml"} {
			r := ask(h, http.MethodGet, path, got.Name+"="+got.Value, nil, nil)
			for name, value := range map[string]string{
				"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
				"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			} {
				if r.Header.Get(name) != value {
					t.Errorf("%s%s: %s is %q", public, path, name, r.Header.Get(name))
				}
			}
			raw, _ := io.ReadAll(r.Body)
			for _, bad := range []string{"<style", " style=", "onclick", "javascript:", "http://", "src=\"//"} {
				if page := strings.ReplaceAll(string(raw), "http://www.w3.org/2000/svg", ""); strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") && strings.Contains(page, bad) {
					t.Errorf("%s%s holds %s", public, path, bad)
				}
			}
		}
	}
	// Where a session would be anybody's, there is none.
	w := newWorld(t, nil)
	for _, public := range []string{"http://bot.example.org", "ftp://127.0.0.1", "bot", "https://user@bot.example.org", ""} {
		if err := w.ed.At(public); err == nil {
			t.Errorf("%q is good enough", public)
		}
	}
	if _, err := w.ed.Link(t.Context(), anna, prompts.Dutch); err == nil {
		t.Error("a link to nowhere")
	}
	if r := ask(w.ed.Handler(), http.MethodGet, "/library/", "", nil, nil); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d", r.StatusCode)
	}
}

// Other sites, other pages and other methods change nothing.
func TestForeignRequestsChangeNothing(t *testing.T) {
	w := served(t, nil)
	c := w.in(anna, prompts.Dutch)
	first := w.firstPrompt()
	path := "/library/entry/prompt/" + first
	state := func() string {
		e, err := w.bot.Entry(t.Context(), bot.EntryKey{Kind: bot.EntryPrompt, ID: first})
		if err != nil {
			t.Fatal(err)
		}
		return e.Stamp + string(e.Prompt.Status)
	}
	before := state()
	c.get(path)
	form := c.form(path + "/retire")
	if form.Get("t") == "" || form.Get("stamp") == "" && before == "" {
		t.Fatal("no form")
	}
	for name, head := range map[string]map[string]string{
		"another origin": {"Origin": "https://evil.example"}, "another site": {"Sec-Fetch-Site": "cross-site"}, "a sibling": {"Sec-Fetch-Site": "same-site"},
		"an origin of none": {"Origin": "null"}, "origin and site disagree": {"Origin": w.server.URL, "Sec-Fetch-Site": "cross-site"},
	} {
		x := &client{w: w, http: c.http, head: http.Header{}}
		for k, v := range head {
			x.head.Set(k, v)
		}
		if status := x.post(path+"/retire", form); status != http.StatusForbidden {
			t.Errorf("%s: %d", name, status)
		}
		if status := x.enter(w.code(bob, prompts.Dutch)); status != http.StatusForbidden {
			t.Errorf("%s signs somebody in: %d", name, status)
		}
	}
	for name, values := range map[string]url.Values{
		"no token": {"stamp": form["stamp"]}, "an empty one": {"stamp": form["stamp"], "t": {""}}, "a made-up one": {"stamp": form["stamp"], "t": {strings.Repeat("0", 32)}},
		"another form's": {"stamp": form["stamp"], "t": {c.field("/library/out", "t")}},
	} {
		if status := c.post(path+"/retire", values); status != http.StatusForbidden {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status := c.post(path+"/retire?t="+form.Get("t"), url.Values{"stamp": form["stamp"]}); status != http.StatusForbidden {
		t.Errorf("a token in the address: %d", status)
	}
	for _, p := range []string{path + "/retire", "/library/out", "/library/import/apply", "/library/lang", "/library/import"} {
		if status := c.get(p + "?t=" + form.Get("t") + "&stamp=" + form.Get("stamp")); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", p, status)
		}
	}
	// What is sent as GET stays one, whatever it says of itself.
	for _, override := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"} {
		x := &client{w: w, http: c.http, head: http.Header{}}
		x.head.Set(override, "POST")
		x.get(path + "/retire?t=" + form.Get("t") + "&stamp=" + form.Get("stamp") + "&_method=POST")
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE", "TRACE", "CONNECT"} {
		if r := ask(w.ed.Handler(), method, path+"/retire", cookieHeader(c), form, func(r *http.Request) { r.Host = "127.0.0.1" }); r.StatusCode < 400 {
			t.Errorf("%s: %d", method, r.StatusCode)
		}
	}
	// A name that leads to loopback from elsewhere; what a proxy may say changes no address.
	x := &client{w: w, http: c.http, head: http.Header{}}
	x.head.Set("Host", "rebind.example")
	if status := x.get("/library/"); status != http.StatusForbidden {
		t.Errorf("another Host: %d", status)
	}
	x.head = http.Header{"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}, "Forwarded": {"host=evil.example"}, "X-Forwarded-Prefix": {"//evil.example"}, "X-Original-URL": {"/library/out"}, "X-Rewrite-Url": {"/library/out"}}
	if status := x.get("/library/"); status != http.StatusOK || strings.Contains(x.last, "evil.example") || !strings.Contains(x.last, "Vragen in de bibliotheek") {
		t.Errorf("what a proxy says: %d", status)
	}
	// The language button leads back into the library, and nowhere else.
	for _, here := range []string{"//evil.example", "/\\evil.example", "https://evil.example", "../../etc", "entry/prompt/" + first, "\r\nSet-Cookie: a=b"} {
		c.get("/library/")
		values := c.form("/library/lang")
		values.Set("lang", "en")
		values.Set("here", here)
		c.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if r.URL.Host != strings.TrimPrefix(w.server.URL, "http://") || !strings.HasPrefix(r.URL.Path, "/library/") {
				t.Errorf("%q leads to %s", here, r.URL)
			}
			return nil
		}
		c.post("/library/lang", values)
	}
	if now := state(); now != before {
		t.Errorf("something changed: %s, was %s", now, before)
	}
	if status := c.get("/library/"); status != http.StatusOK {
		t.Errorf("signed out by one of these: %d", status)
	}
}

func cookieHeader(c *client) string {
	at, _ := url.Parse(c.w.server.URL + "/library/")
	for _, k := range c.http.Jar.Cookies(at) {
		return k.Name + "=" + k.Value
	}
	return ""
}

// Paths lead to entries and nowhere else.
func TestPathTricks(t *testing.T) {
	w := served(t, nil)
	c := w.in(anna, prompts.Dutch)
	stranger := w.client()
	for _, p := range []string{
		"/library/../../etc/passwd", "/library/entry/prompt/..%2f..%2fetc%2fpasswd", "/library/entry/prompt/%2e%2e/", "/library/entry/prompt/a%2Fb", "/library/entry/prompt/a%00b",
		"/library/assets/x/app.js", "/library/assets/../templates/layout.html", "/library/assets/..%2ftemplates%2flayout.html", "/library/assets/x/%2e%2e%2feditor.go",
		"/library/entry/round/1", "/library/entry//x", "/library/history/prompt/" + strings.Repeat("x", 5000), "/library/export/..%2f..%2fweerklank.db", "/library/export/weerklank.db",
		"/library/edit/prompt/%3Cscript%3E", "/library/new/round", "/library//evil.example/", "/library/%5c%5cevil.example",
	} {
		status := c.get(p)
		if status != http.StatusNotFound && status != http.StatusBadRequest {
			t.Errorf("%s: %d", p, status)
		}
		if strings.Contains(c.last, "<script>") || strings.Contains(c.last, "root:") {
			t.Errorf("%s shows %s", p, c.last)
		}
		if status := stranger.get(p); status == http.StatusOK {
			t.Errorf("%s to a stranger: %d", p, status)
		}
	}
	for _, q := range []string{"?from=-1", "?from=99999999999999999999", "?from=%00", "?a=-5&b=1e9", "?q=" + strings.Repeat("x", 3000), "?done=%3Cscript%3E", "?lang=xx&type=%27"} {
		for _, p := range []string{"/library/", "/library/history/prompt/" + w.firstPrompt()} {
			if status := c.get(p + q); status != http.StatusOK || strings.Contains(c.last, "<script>") {
				t.Errorf("%s%s: %d", p, q, status)
			}
		}
	}
	if log := w.log.String(); strings.Contains(log, "panic") {
		t.Error(log)
	}
}

// What is too large or too slow is let go, and the next request finds everything as it was.
func TestBodiesAreBounded(t *testing.T) {
	w := served(t, nil)
	c := w.in(anna, prompts.Dutch)
	if status := c.upload("big.csv", bytes.Repeat([]byte("x"), 10<<20)); status != http.StatusRequestEntityTooLarge || !strings.Contains(c.last, "8 MB") {
		t.Errorf("a large import: %d", status)
	}
	c.get("/library/new/prompt")
	if status := c.press("/library/new/prompt", url.Values{"nl.text": {strings.Repeat("x", 2<<20)}}); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large form: %d", status)
	}
	c.get("/library/new/prompt")
	many := c.form("/library/new/prompt")
	for i := range 20_000 {
		many.Add("themes"+fmt.Sprint(i), "x")
		many.Add("values", "v"+fmt.Sprint(i))
	}
	if status := c.post("/library/new/prompt", many); status >= 500 {
		t.Errorf("many fields: %d", status)
	}
	if status := w.client().enter(strings.Repeat("A", 100_000)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large code: %d", status)
	}
	if status := c.get("/library/"); status != http.StatusOK {
		t.Errorf("%d", status)
	}
}

// Two files come in at once, counted from their first byte on: whoever keeps two going keeps the memory of two.
func TestFewUploadsAtOnce(t *testing.T) {
	w := served(t, nil)
	c := w.in(anna, prompts.Dutch)
	for range 2 {
		conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /library/import HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n",
			w.server.Listener.Addr(), cookieHeader(c))
		line, err := bufio.NewReader(conn).ReadString('\n') // it is asked for, and waited for
		if err != nil || !strings.Contains(line, "100") {
			t.Fatalf("%q %v", line, err)
		}
	}
	if status := c.upload("x.toml", []byte("schema = 1\n")); status != http.StatusServiceUnavailable {
		t.Errorf("a third one: %d", status)
	}
	if status := w.client().post("/library/import", nil); status != http.StatusUnauthorized {
		t.Errorf("a stranger: %d", status)
	}
}

// pipes is a listener whose connections are in memory: the clock of a bubble goes on while they wait.
type pipes struct{ conns chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8480} }

func TestSlowBodyIsLetGo(t *testing.T) {
	for name, x := range map[string]struct {
		kind, body string
		status     int
		most       time.Duration
	}{
		"in the middle":   {"application/x-www-form-urlencoded", "code=A", http.StatusRequestTimeout, 30 * time.Second},
		"behind its form": {"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\nA\r\n--x--\r\n", http.StatusForbidden, 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) { letsGo(t, x.kind, x.body, x.status, x.most) })
	}
}

// letsGo sends the beginning of a longer body, and waits for the answer.
func letsGo(t *testing.T, kind, body string, status int, most time.Duration) {
	chattest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, nil)
		if err := w.ed.At("http://127.0.0.1:8480"); err != nil {
			t.Fatal(err)
		}
		l := pipes{make(chan net.Conn, 1)}
		server := &http.Server{Handler: w.ed.Handler()}
		done := make(chan struct{})
		go func() { server.Serve(l); close(done) }()
		mine, theirs := net.Pipe()
		l.conns <- theirs
		began := time.Now()
		fmt.Fprint(mine, "POST /library/in HTTP/1.1\r\nHost: 127.0.0.1:8480\r\nContent-Type: "+kind+"\r\nContent-Length: 5000\r\n\r\n"+body)
		resp, err := http.ReadResponse(bufio.NewReader(mine), nil)
		if err != nil || resp.StatusCode != status || time.Since(began) > most {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		go io.Copy(io.Discard, mine)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		close(l.conns)
		server.Shutdown(ctx)
		mine.Close()
		<-done
	})
}
