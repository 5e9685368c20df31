// Package editor is the prompt library on the web, for editors who are no programmers: pages that the program renders
// itself, which work without JavaScript and are livelier with it. It keeps nothing and decides nothing; the use cases are
// those of chat, shell and files. No page of it shows a reply.
package editor

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

//go:embed templates/*.html assets/*.css assets/*.js
var files embed.FS

// What one request may bring and take.
const (
	maxForm    = 1 << 20
	maxKept    = 128 << 10 // of a form that a stranger sent: an editor whose session is over
	maxImport  = 9 << 20   // a whole library and its wrapping
	maxEntries = 2000      // of an import
	bodyTime   = 20 * time.Second

	answerTime = time.Minute // for what is done with the body
)

// Editor is the library on the web. Make it with New, tell it where it is reached with At, hand it to the bot as its
// Entrance, then Use that bot.
type Editor struct {
	log     *slog.Logger
	in      *entrance
	pages   map[string]*template.Template
	assets  map[string][]byte
	version string        // of the assets: part of their address
	uploads chan struct{} // imports that are being read now

	mu   sync.RWMutex
	site site
	bot  *bot.Bot
}

// site is where the library is reached.
type site struct {
	origin string // "https://bot.example.org"
	base   string // path that every address begins with: "/library", behind what a proxy takes off
	tls    bool
}

// New makes the editor. At and Use complete it.
func New(log *slog.Logger) (*Editor, error) {
	if log == nil {
		return nil, errors.New("editor: a log is required")
	}
	e := &Editor{log: log, in: newEntrance(), pages: map[string]*template.Template{}, assets: map[string][]byte{}, uploads: make(chan struct{}, 2)}
	sum := sha256.New()
	for _, name := range []string{"nlds.css", "theme.css", "app.css", "app.js"} {
		raw, err := files.ReadFile("assets/" + name)
		if err != nil {
			return nil, err
		}
		e.assets[name] = raw
		sum.Write(raw)
	}
	e.version = hex.EncodeToString(sum.Sum(nil)[:6])
	base, err := template.New("layout.html").Funcs(template.FuncMap{"dict": dict, "fieldID": fieldID}).ParseFS(files, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	names, err := files.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	for _, f := range names {
		name := strings.TrimSuffix(f.Name(), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		page, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if e.pages[name], err = page.ParseFS(files, "templates/"+f.Name()); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// At says where people reach the library: below this address. It must be https, or http on this machine's loopback: over
// any other way the session would be anybody's.
func (e *Editor) At(public string) error {
	u, err := url.Parse(public)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return errors.New("editor: the library's address is not whole")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Host)):
		return errors.New("editor: the library is reached over https, or on this machine only")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.site = site{origin: u.Scheme + "://" + u.Host, base: strings.TrimSuffix(u.Path, "/") + "/library", tls: u.Scheme == "https"}
	return nil
}

// Use sets whose use cases the pages call.
func (e *Editor) Use(b *bot.Bot) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bot = b
}

func (e *Editor) where() (site, *bot.Bot) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.site, e.bot
}

func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Handler serves everything below /library/.
func (e *Editor) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /library/assets/{version}/{name}", e.asset)
	mux.HandleFunc("GET /library/in", e.showIn)
	mux.HandleFunc("POST /library/in", e.signIn)
	page := func(pattern string, show func(*visit) error) {
		mux.HandleFunc("GET /library"+pattern, func(w http.ResponseWriter, r *http.Request) { e.signedIn(w, r, 0, show) })
	}
	act := func(pattern string, do func(*visit) error) {
		mux.HandleFunc("POST /library"+pattern, func(w http.ResponseWriter, r *http.Request) { e.signedIn(w, r, maxForm, do) })
	}
	page("/{$}", e.list)
	page("/coverage", e.coverage)
	page("/words", e.words)
	page("/entry/{kind}/{id}", e.entry)
	act("/entry/{kind}/{id}/{do}", e.move)
	page("/edit/{kind}/{id}", e.edit)
	act("/edit/{kind}/{id}", e.save)
	page("/new/{kind}", e.edit)
	act("/new/{kind}", e.save)
	act("/check/{kind}", e.check)
	page("/history/{kind}/{id}", e.history)
	act("/history/{kind}/{id}", e.restore)
	page("/update/{kind}/{id}", e.update)
	act("/update/{kind}/{id}", e.settle)
	page("/exchange", e.exchange)
	page("/export/{file}", e.export)
	mux.HandleFunc("POST /library/import", func(w http.ResponseWriter, r *http.Request) { e.signedIn(w, r, maxImport, e.plan) })
	act("/import/apply", e.apply)
	act("/lang", e.speak)
	act("/out", e.signOut)
	mux.HandleFunc("/library/", func(w http.ResponseWriter, r *http.Request) {
		e.signedIn(w, r, 0, func(v *visit) error { return v.sorry(http.StatusNotFound, "web.sorry-gone") })
	})
	return e.guard(mux)
}

// guard holds for every answer: nothing is kept by browsers or proxies, nothing comes from elsewhere, no other page frames
// or drives this one, and what goes wrong inside says nothing of what was written.
func (e *Editor) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.stranger(w, r).sorry(http.StatusForbidden, "web.sorry-foreign")
	}))
	safe := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set("Cache-Control", "no-store")
		at, _ := e.where()
		switch {
		case at.origin == "":
			http.Error(w, "the library is not open yet", http.StatusServiceUnavailable)
			return
		case !at.tls && !loopback(r.Host): // a name that leads to loopback from elsewhere
			http.Error(w, "this library is only served on this machine", http.StatusForbidden)
			return
		}
		defer func() {
			if p := recover(); p != nil {
				e.log.Error("library page", "panic", fmt.Sprintf("%T", p), "at", place())
				e.stranger(w, r).sorry(http.StatusInternalServerError, "web.sorry-failed")
			}
		}()
		// Behind a proxy that gives another Host, what a browser says is compared with the address that it knows.
		if o := r.Header.Get("Origin"); o != "" && o == at.origin && r.Header.Get("Sec-Fetch-Site") == "" {
			next.ServeHTTP(w, r)
			return
		}
		safe.ServeHTTP(w, r)
	})
}

// place says where a panic came from, and nothing of what it says.
func place() string {
	pcs := make([]uintptr, 24)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, "weerklank") {
			return fmt.Sprintf("%s:%d", path.Base(f.File), f.Line)
		}
		if !more {
			return "unknown"
		}
	}
}

// asset serves what all pages share. It holds nothing of anybody, and its address changes with it, so that browsers may
// keep it.
func (e *Editor) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	raw, ok := e.assets[name]
	if !ok || r.PathValue("version") != e.version {
		e.stranger(w, r).sorry(http.StatusNotFound, "web.sorry-gone")
		return
	}
	kind := "text/css; charset=utf-8"
	if path.Ext(name) == ".js" {
		kind = "text/javascript; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Write(raw)
}

// visit is one request, and whose it is.
type visit struct {
	e    *Editor
	w    http.ResponseWriter
	r    *http.Request
	at   site
	bot  *bot.Bot
	s    *session // nil: a stranger
	lang prompts.Lang
	read bool // the body is taken in
}

func (e *Editor) stranger(w http.ResponseWriter, r *http.Request) *visit {
	at, b := e.where()
	v := &visit{e: e, w: w, r: r, at: at, bot: b, lang: prompts.Dutch}
	lang := prompts.Lang(r.URL.Query().Get("lang"))
	if lang == prompts.English || lang == "" && strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "en") {
		v.lang = prompts.English
	}
	return v
}

// signedIn lets an editor's request through. Who it is, and whether they still are an editor, is asked each time.
func (e *Editor) signedIn(w http.ResponseWriter, r *http.Request, body int64, do func(*visit) error) {
	v := e.stranger(w, r)
	now := time.Now()
	secret := v.at.secret(r)
	if secret != "" {
		v.s = e.in.who(secret, now)
	}
	if v.s != nil && (v.bot == nil || !v.bot.MayEdit(v.s.editor)) {
		e.in.leave(secret)
		v.s = nil
	}
	if v.s == nil {
		v.turnAway()
		return
	}
	v.lang = v.s.speaks()
	v.s.mu.Lock()
	calm := v.s.pace.take(now)
	v.s.mu.Unlock()
	if !calm {
		w.Header().Set("Retry-After", "10")
		if v.writes() {
			v.take(body) // what it cannot take in, it does not show again
		}
		v.refuse(http.StatusTooManyRequests, "web.sorry-fast")
		return
	}
	if body > maxForm { // few at once, from its first byte on
		select {
		case e.uploads <- struct{}{}:
			defer func() { <-e.uploads }()
		default:
			w.Header().Set("Retry-After", "10")
			v.sorry(http.StatusServiceUnavailable, "web.sorry-fast")
			return
		}
	}
	if r.Method == http.MethodPost {
		if err := v.take(body); err != nil {
			v.fail(err)
			return
		}
		if token := r.PostFormValue("t"); !v.s.holds(strings.TrimPrefix(r.URL.Path, "/library"), token) {
			v.refuse(http.StatusForbidden, "web.sorry-form")
			return
		}
	}
	if err := do(v); err != nil {
		v.fail(err)
	}
}

// turnAway shows a stranger the way in. A link that somebody followed from the chat brings no cookie, since it comes from
// another site: then the page asks for itself once more, and is asked by nobody else.
func (v *visit) turnAway() {
	if v.r.Method == http.MethodGet && v.r.Header.Get("Sec-Fetch-Site") == "cross-site" && v.r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		v.show(http.StatusOK, "again", page{Title: v.say("web.again"), Again: true})
		return
	}
	d := inView{Out: v.r.Method == http.MethodPost}
	if v.writes() && v.take(maxKept) == nil {
		d.Typed = v.texts()
	}
	v.show(http.StatusUnauthorized, "in", page{Title: v.say("web.in"), D: d})
}

// take takes the body in, within bounds of size and time.
func (v *visit) take(most int64) error {
	control := http.NewResponseController(v.w)
	if err := control.SetReadDeadline(time.Now().Add(bodyTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, most)
	var err error
	if strings.HasPrefix(v.r.Header.Get("Content-Type"), "multipart/form-data") {
		err = v.r.ParseMultipartForm(most) // what is within the bound stays in memory: no file of it is ever made
	} else {
		err = v.r.ParseForm()
	}
	if err == nil { // else the deadline stands: what is left of the body is not waited for
		control.SetReadDeadline(time.Now().Add(answerTime)) // never none: what follows the form is not waited for either
		v.read = true
		return nil
	}
	_, tooBig := errors.AsType[*http.MaxBytesError](err)
	if slow, ok := errors.AsType[net.Error](err); tooBig || ok && slow.Timeout() {
		return err
	}
	return errors.Join(errBadForm, err)
}

// fail answers what went wrong. What the use cases refuse, their pages say themselves.
func (v *visit) fail(err error) {
	var tooBig *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.As(err, &tooBig):
		v.refuse(http.StatusRequestEntityTooLarge, "web.sorry-big")
	case errors.As(err, &slow) && slow.Timeout():
		v.refuse(http.StatusRequestTimeout, "web.sorry-slow")
	case errors.Is(err, bot.ErrNotFound):
		v.refuse(http.StatusNotFound, "web.sorry-gone")
	case errors.Is(err, bot.ErrReadOnly):
		v.refuse(http.StatusConflict, "web.sorry-files")
	case errors.Is(err, bot.ErrConflict):
		v.refuse(http.StatusConflict, "web.sorry-changed")
	case errors.Is(err, bot.ErrDenied):
		v.refuse(http.StatusForbidden, "web.sorry-denied")
	case errors.Is(err, http.ErrNotMultipart), errors.Is(err, http.ErrMissingBoundary), errors.Is(err, errBadForm):
		v.refuse(http.StatusBadRequest, "web.sorry-form")
	default:
		v.e.log.Warn("library page", "page", v.r.Pattern, "type", fmt.Sprintf("%T", err)) // its words may hold somebody's
		v.refuse(http.StatusInternalServerError, "web.sorry-failed")
	}
}

// refuse says that something was not done: on the form, with what was typed, where somebody writes an entry.
func (v *visit) refuse(status int, key string) {
	if !v.writes() || !v.read || !v.keep(status, key) {
		v.sorry(status, key)
	}
}

var errBadForm = errors.New("editor: the form is not one of ours")

// sorry is a page that only says what is wrong and where to go on.
func (v *visit) sorry(status int, key string) error {
	d := sorryView{Text: v.say(key)}
	if v.writes() && v.read {
		d.Typed = v.texts()
	}
	v.show(status, "sorry", page{Title: v.say("web.sorry"), D: d})
	return nil
}

// sorryView is that page. Typed is what would be lost otherwise.
type sorryView struct{ Text, Typed string }

func (v *visit) say(key string, pairs ...string) string { return locale.Say(v.lang, key, pairs...) }

// back leads to another page, with word of what was done.
func (v *visit) back(done string, to ...string) error {
	q := ""
	if done != "" {
		q = "?done=" + done
	}
	http.Redirect(v.w, v.r, v.link(to...)+q, http.StatusSeeOther)
	return nil
}

// link is the address of a page; every part is one step of its path, whatever it holds.
func (v *visit) link(parts ...string) string {
	steps := make([]string, len(parts))
	for i, p := range parts {
		steps[i] = url.PathEscape(p)
	}
	return v.at.base + "/" + strings.Join(steps, "/")
}

// page is what every page is made from.
type page struct {
	Title string // of the page; what it is about
	Nav   string // where in the navigation it stands
	Wrong []wrong
	Again bool // the page asks for itself once more
	D     any

	Lang    prompts.Lang
	Base    string
	Version string
	In      bool
	Done    string // what was just done
	Here    string // this page's own address, to come back to
	v       *visit
}

// wrong is one line of the summary of what is not right, and where that is.
type wrong struct{ Field, Label, Text string }

// T is a text of the web pages in the reader's language.
func (p page) T(key string) string { return locale.Text(p.Lang, "web."+key) }

// Say is T with placeholders filled in.
func (p page) Say(key string, pairs ...any) string {
	texts := make([]string, len(pairs))
	for i, x := range pairs {
		texts[i] = fmt.Sprint(x)
	}
	return locale.Say(p.Lang, "web."+key, texts...)
}

// Link is the address of a page.
func (p page) Link(parts ...string) string { return p.v.link(parts...) }

// Token is what the form of an address carries.
func (p page) Token(parts ...string) template.HTML {
	if p.v.s == nil {
		return ""
	}
	return template.HTML(`<input type="hidden" name="t" value="` + p.v.s.token("/"+strings.Join(parts, "/")) + `">`)
}

// LinkAll and TokenAll take the steps of a path as a list.
func (p page) LinkAll(parts []string) string { return p.Link(parts...) }

// TokenAll is Token of a list.
func (p page) TokenAll(parts []string) template.HTML { return p.Token(parts...) }

// KindOf is the sort of entry that the address names.
func (p page) KindOf() string { return p.v.r.PathValue("kind") }

// LangName is what a language is called.
func (p page) LangName(lang prompts.Lang) string { return p.v.langName(lang) }

// TokenOf is the token alone.
func (p page) TokenOf(parts ...string) string { return p.v.s.token("/" + strings.Join(parts, "/")) }

func (v *visit) show(status int, name string, p page) {
	p.Lang, p.Base, p.Version, p.In, p.v = v.lang, v.at.base, v.e.version, v.s != nil, v
	p.Done = v.done()
	if v.r.Method == http.MethodGet {
		p.Here = strings.TrimPrefix(v.r.URL.Path, "/library/")
	}
	var out bytes.Buffer
	if err := v.e.pages[name].Execute(&out, p); err != nil {
		v.e.log.Error("library page", "page", name, "type", fmt.Sprintf("%T", err))
		http.Error(v.w, v.say("web.sorry-failed"), http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	io.Copy(v.w, &out)
}

// done says what the act before this page did. Only what is known here is said: the word comes from an address.
func (v *visit) done() string {
	key := map[string]string{
		"in": "web.done-in", "saved": "web.done-saved", "submit": "web.done-submit", "activate": "web.done-activate", "return": "web.done-return",
		"retire": "web.done-retire", "wake": "web.done-wake", "restored": "web.done-restored", "settled": "web.done-settled", "imported": "web.done-imported",
	}[v.r.URL.Query().Get("done")]
	if key == "" || v.s == nil {
		return ""
	}
	return v.say(key)
}

// dict hands several values to a template by name.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict wants pairs")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, errors.New("dict wants names")
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}
