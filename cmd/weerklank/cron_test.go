package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot/chattest"
)

// visitor is a browser without script, as one person of the workspace.
type visitor struct {
	t   *testing.T
	c   *http.Client
	url string
}

func visit(t *testing.T, base, person string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t, &http.Client{Jar: jar, Timeout: 20 * time.Second}, base}
	v.post("/act", url.Values{"person": {person}, "place": {"buitendienst"}})
	return v
}

func (v *visitor) read(resp *http.Response, err error) string {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return string(raw)
}

func (v *visitor) page() string { v.t.Helper(); return v.read(v.c.Get(v.url + "/c/buitendienst")) }

func (v *visitor) post(path string, values url.Values) string {
	v.t.Helper()
	return v.read(v.c.PostForm(v.url+path, values))
}

// until asks for the channel again and again until the words stand there.
func (v *visitor) until(words string, within time.Duration) string {
	v.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	end := time.After(within)
	for {
		page := v.page()
		if strings.Contains(page, words) {
			return page
		}
		select {
		case <-end:
			v.t.Fatalf("%q never came within %v:\n%s", words, within, regexp.MustCompile(`<[^>]*>|\s+`).ReplaceAllString(page, " "))
		case <-tick.C:
		}
	}
}

var (
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	button = regexp.MustCompile(`(?s)<form method="post" action="/press"[^>]*>(.*?)</form>`)
)

// press presses the last button with that verb on the page.
func (v *visitor) press(page, do string) string {
	v.t.Helper()
	var found url.Values
	for _, m := range button.FindAllStringSubmatch(page, -1) {
		if !strings.Contains(m[1], `data-do="`+do+`"`) {
			continue
		}
		found = url.Values{}
		for _, h := range hidden.FindAllStringSubmatch(m[1], -1) {
			found.Set(h[1], h[2])
		}
		if n := regexp.MustCompile(`name="n" value="(\d+)"[^>]*data-do="` + do + `"`).FindStringSubmatch(m[1]); n != nil {
			found.Set("n", n[1])
		}
	}
	if found == nil {
		v.t.Fatalf("no button %q on the page", do)
	}
	return v.post("/press", found)
}

// fill sends the open form in, with what stands hidden in it.
func (v *visitor) fill(page string, values url.Values) string {
	v.t.Helper()
	_, form, ok := strings.Cut(page, `action="/form"`)
	if !ok {
		v.t.Fatal("no form is open")
	}
	form, _, _ = strings.Cut(form, "</form>")
	for _, h := range hidden.FindAllStringSubmatch(form, -1) {
		if !values.Has(h[1]) {
			values.Set(h[1], h[2])
		}
	}
	return v.post("/form", values)
}

// The main job without a browser: by configuration alone a team is switched on, a question opens by cron, six people
// answer, the round closes and is given back; health and readiness answer; no log line holds an account or a text; the end
// is clean and quick.
func TestRunByCron(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "weerklank.toml")
	config := fmt.Sprintf(`data_dir = %q
[help]
adviser = "De vertrouwenspersoon"
[team]
rhythm = "custom"
cron = "* * * * *"
window = "1m"
give_back_after = "0m"
quiet_hours = ""
workdays_only = false
holidays = []
[workspace]
enabled = true
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[log]
level = "debug"
`, filepath.Join(dir, "data"))
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &chattest.Log{}
	base, stop := startLogged(t, log, "Weerklank", "run", "--config", file)
	admin := regexp.MustCompile(`"addr":"([^"]+)"`).FindStringSubmatch(log.String())
	if admin == nil {
		t.Fatalf("the log names no admin listener:\n%s", log)
	}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/metrics": "go_goroutines"} {
		resp, err := http.Get("http://" + admin[1] + path)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.Contains(string(raw), want) {
			t.Errorf("%s: %d %.80s", path, resp.StatusCode, raw)
		}
	}
	irma := visit(t, base, "irma")
	page := irma.post("/say", url.Values{"place": {"buitendienst"}, "text": {"/weerklank aan"}})
	page = irma.fill(page, url.Values{"f.lang": {"nl"}, "f.rhythm": {"custom"}, "f.cron": {"* * * * *"}, "f.window": {"1m"}, "f.give_back_after": {"0m"},
		"f.adviser": {"De vertrouwenspersoon"}, "f.statement": {"Grijs mag hier."}, "f.worktime": {"yes"}})
	if !strings.Contains(page, "Weerklank staat aan") {
		t.Fatal("the team was not switched on")
	}
	irma.until(`data-do="answer"`, 75*time.Second)
	const marker = "MARKERING-5D1E"
	for _, person := range []string{"cor", "dewi", "emre", "gerrit", "lotte", "samira"} {
		v := visit(t, base, person)
		page := v.fill(v.press(v.page(), "answer"), url.Values{"f.text": {marker + " van " + person}, "f.share": {"share"}})
		if !strings.Contains(page, "Bewaard, zonder naam") {
			t.Errorf("%s was not heard", person)
		}
	}
	page = irma.until("Terugblik:", 75*time.Second)
	if n := strings.Count(page, marker+" van cor"); n < 1 {
		t.Error("the quote is missing")
	}
	began := time.Now()
	if code := stop(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, log)
	}
	if d := time.Since(began); d > shutdownTime {
		t.Errorf("stopping took %v", d)
	}
	for _, secret := range []string{marker, "samira", "Samira", "gerrit", "irma", "Grijs mag"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if !strings.Contains(log.String(), `"msg":"stopping"`) {
		t.Errorf("the log does not tell the end:\n%s", log)
	}
}
