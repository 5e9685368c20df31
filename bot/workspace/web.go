package workspace

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// The page's parts that a test or a script may rely on: [data-place] on the links of the side bar; [data-person] on the
// buttons to act as somebody; article[data-message] per message; button[data-do][data-arg] for the bot's buttons;
// [data-field] around every field of the form in dialog#form; #text is the composer; [data-control] on the demo's
// buttons; .note for private answers.

//go:embed page.html style.css app.js
var files embed.FS

const (
	maxBody    = 512 << 10
	maxMessage = 120 << 10 // bytes of one typed message; what the bot keeps is far less
	maxShown   = 400       // messages of a place on the page
)

// Handler serves the workspace. Put it on a loopback listener: it knows no passwords.
func (a *Adapter) Handler() http.Handler {
	page := template.Must(template.New("page.html").Funcs(template.FuncMap{"initial": initial, "hue": hue, "dict": dict}).ParseFS(files, "page.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		p := a.who(r)
		for _, c := range a.c.Seed.Channels {
			if slices.Contains(c.Members, p.ID) {
				http.Redirect(w, r, "/c/"+c.ID, http.StatusSeeOther)
				return
			}
		}
		http.Redirect(w, r, "/bot", http.StatusSeeOther)
	})
	show := func(w http.ResponseWriter, r *http.Request, place func(Person) string) {
		p := a.who(r)
		at := place(p)
		if !a.mayBe(p, at) {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := page.Execute(w, a.view(p, at, returned{})); err != nil {
			a.log.Warn("workspace page", "err", err)
		}
	}
	mux.HandleFunc("GET /c/{channel}", func(w http.ResponseWriter, r *http.Request) {
		show(w, r, func(Person) string { return r.PathValue("channel") })
	})
	mux.HandleFunc("GET /bot", func(w http.ResponseWriter, r *http.Request) {
		show(w, r, func(p Person) string { return "@" + p.ID })
	})
	mux.HandleFunc("GET /events", a.events)
	for name, kind := range map[string]string{"style.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			raw, err := files.ReadFile(name)
			if err != nil {
				http.NotFound(w, r)
				return
			}
			w.Write(raw)
		})
	}
	act := func(path string, do func(*http.Request, Person, string) error) {
		mux.HandleFunc("POST /"+path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			p := a.who(r)
			say := sayer(a.lang(p))
			err := r.ParseForm()
			place, allowed := a.inPlace(p, r.PostForm.Get("place"))
			switch as := r.PostForm.Get("as"); {
			case err != nil:
			case as != "" && as != p.ID: // somebody else was chosen in another window: their page must not speak for this person
				err = errOther
			case !allowed:
				err = bot.ErrNotFound
			default:
				err = do(r, p, place)
			}
			if err == nil {
				http.Redirect(w, r, link(place), http.StatusSeeOther)
				return
			}
			// Nothing typed is lost: the page comes back with it.
			back := returned{}
			var status int
			var tooBig *http.MaxBytesError
			var unheard *unheardError
			switch {
			case errors.As(err, &tooBig), errors.Is(err, errLong):
				back.Why, status = say("ws.too-long", "max", strconv.Itoa(maxMessage/1024)), http.StatusRequestEntityTooLarge
			case errors.As(err, &unheard): // what was typed stands in the conversation
				back.Why, status = say("ws.unheard"), http.StatusInternalServerError
			case errors.Is(err, errResting):
				back.Why, status = say("ws.resting"), http.StatusServiceUnavailable
			case errors.Is(err, errOther):
				back.Why, status = say("ws.other-person", "name", p.Name), http.StatusConflict
			case errors.Is(err, bot.ErrNotFound):
				back.Why, status = say("ws.gone"), http.StatusNotFound
			case errors.Is(err, bot.ErrConflict):
				back.Why, status = say("ws.not-on"), http.StatusConflict
			default:
				back.Why, status = say("ws.failed"), http.StatusInternalServerError
				a.log.Warn("workspace", "do", path, "err", err)
			}
			if unheard == nil {
				back.fill(path, r.PostForm)
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			if err := page.Execute(w, a.view(p, place, back)); err != nil {
				a.log.Warn("workspace page", "err", err)
			}
		})
	}
	act("say", func(r *http.Request, p Person, place string) error {
		text := strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n")
		if len(text) > maxMessage {
			return errLong
		}
		if strings.TrimSpace(text) == "" {
			return nil
		}
		resp, err := a.Type(r.Context(), p.ID, place, text, r.PostForm.Get("thread"))
		return errors.Join(err, a.answer(p, place, "", resp))
	})
	act("change", func(r *http.Request, p Person, place string) error {
		text := strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n")
		if len(text) > maxMessage {
			return errLong
		}
		if r.PostForm.Get("delete") != "" {
			text = ""
		}
		resp, err := a.Change(r.Context(), p.ID, r.PostForm.Get("id"), text)
		return errors.Join(err, a.answer(p, place, r.PostForm.Get("id"), resp))
	})
	act("again", func(r *http.Request, p Person, place string) error {
		resp, err := a.Again(r.Context(), p.ID, r.PostForm.Get("id"))
		return errors.Join(err, a.answer(p, place, r.PostForm.Get("id"), resp))
	})
	act("press", func(r *http.Request, p Person, place string) error {
		id := r.PostForm.Get("id")
		action, below, ok := a.button(p, place, id, r.PostForm.Get("n"))
		if !ok {
			return bot.ErrNotFound
		}
		resp, err := a.Press(r.Context(), p.ID, place, action)
		return errors.Join(err, a.answer(p, place, below, resp))
	})
	act("form", func(r *http.Request, p Person, _ string) error { return a.submitted(r.Context(), p, r.PostForm) })
	act("close", func(r *http.Request, p Person, _ string) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if open := a.forms[p.ID]; open != nil && open.ID == r.PostForm.Get("form") { // not one that was opened meanwhile elsewhere
			delete(a.forms, p.ID)
			a.changed()
		}
		return nil
	})
	act("dismiss", func(r *http.Request, p Person, _ string) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		id := r.PostForm.Get("id")
		a.notes[p.ID] = slices.DeleteFunc(a.notes[p.ID], func(n note) bool { return n.ID == id })
		a.changed()
		return nil
	})
	act("lang", func(r *http.Request, p Person, _ string) error {
		return a.SetLang(p.ID, prompts.Lang(r.PostForm.Get("lang")))
	})
	act("control", func(r *http.Request, p Person, place string) error {
		do := map[string]func(context.Context, bot.TeamID) (string, error){}
		if c := a.c.Controls; c != nil {
			do = map[string]func(context.Context, bot.TeamID) (string, error){"next": c.Next, "colleagues": c.Colleagues, "close": c.Close, "look-back": c.LookBack}
		}
		f := do[r.PostForm.Get("do")]
		if f == nil {
			return bot.ErrNotFound
		}
		if strings.HasPrefix(place, "@") {
			place = a.c.Seed.Channels[0].ID
		}
		key, err := f(r.Context(), teamOf(place))
		if err != nil || key == "" {
			return err
		}
		lang := a.lang(p)
		said := bot.Message{Lang: lang, Blocks: []bot.Block{bot.Text(bot.Span{Text: locale.Say(lang, key)})}}
		return a.answer(p, place, "", bot.Response{Message: &said})
	})
	mux.HandleFunc("POST /act", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		p, ok := a.person(r.PostFormValue("person"))
		if !ok {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "acting", Value: p.ID, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		place := r.PostFormValue("place")
		if place != "bot" && !a.mayBe(p, place) {
			http.Redirect(w, r, link(a.home(p)), http.StatusSeeOther)
			return
		}
		http.Redirect(w, r, link(place), http.StatusSeeOther)
	})
	return guard(http.NewCrossOriginProtection().Handler(mux))
}

var (
	errLong  = errors.New("workspace: the message is too long")
	errOther = errors.New("workspace: the page belongs to somebody else")
)

// returned is what comes back when something could not be done: why, and everything that was typed, where it was typed.
type returned struct {
	Why    string
	Text   string // in the composer
	ID     string // of the message that was edited
	Edit   string // its new text
	Values []string
}

func (b *returned) fill(path string, sent url.Values) {
	switch path {
	case "say":
		b.Text = sent.Get("text")
	case "change":
		b.ID, b.Edit = sent.Get("id"), sent.Get("text")
	case "form":
		for _, name := range slices.Sorted(maps.Keys(sent)) {
			if strings.HasPrefix(name, "f.") {
				b.Values = append(b.Values, strings.Join(sent[name], "\n"))
			}
		}
		b.Values = slices.DeleteFunc(b.Values, func(v string) bool { return strings.TrimSpace(v) == "" })
	}
}

// submitted takes a form in.
//
// A form with another ID than the one that is open was replaced in another window: nothing is sent, and its person sees
// the open one with what they typed. If none is open (closed in another window, or the program was started again) the
// form's name, state and place come from the page; the bot checks them as it checks everything.
func (a *Adapter) submitted(ctx context.Context, p Person, sent url.Values) error {
	values := map[string][]string{}
	for name, v := range sent {
		if field, ok := strings.CutPrefix(name, "f."); ok {
			values[field] = v
		}
	}
	say := sayer(a.lang(p))
	a.mu.Lock()
	open := a.forms[p.ID]
	known := open != nil && open.Form != nil
	if known && open.ID != sent.Get("form") {
		maps.DeleteFunc(values, func(_ string, v []string) bool { return strings.Join(v, "") == "" })
		open.refill(values, say("ws.form-other"))
		a.changed()
		a.mu.Unlock()
		return nil
	}
	a.mu.Unlock()
	if known {
		for _, f := range open.Form.Fields {
			values[f.Name] = sent["f."+f.Name]
		}
	} else {
		at, ok := a.inPlace(p, sent.Get("at"))
		if !ok || sent.Get("name") == "" {
			return bot.ErrNotFound
		}
		open = &opened{Form: &bot.Form{Name: sent.Get("name"), State: sent.Get("state")}, Place: at}
	}
	resp, err := a.Submit(ctx, p.ID, open.Place, open.Form, values, sent.Get("action"))
	if err != nil && !known {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err != nil: // the form stays open with what was filled in
		wrong := say("ws.failed")
		if errors.Is(err, errResting) {
			wrong = say("ws.resting")
		}
		open.refill(values, wrong)
		a.forms[p.ID] = open
	case resp.Form != nil:
		a.forms[p.ID] = &opened{ID: rand.Text(), Form: resp.Form, Errors: resp.Errors, Place: open.Place}
	case resp.Message != nil:
		a.forms[p.ID] = &opened{ID: rand.Text(), Last: resp.Message, Place: open.Place}
	default:
		delete(a.forms, p.ID)
	}
	a.changed()
	return nil
}

// guard keeps the workspace on this machine: a name that resolves to loopback elsewhere is refused, and pages load
// nothing from outside.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "this workspace is only served on this machine", http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func link(place string) string {
	if strings.HasPrefix(place, "@") || place == "bot" {
		return "/bot"
	}
	return "/c/" + place
}

// inPlace finds the place that a page names: a channel, or "bot" for the conversation with the bot. Where the person
// cannot be, they are at home instead.
func (a *Adapter) inPlace(p Person, name string) (place string, ok bool) {
	switch {
	case name == "bot":
		return "@" + p.ID, true
	case name == "":
		return a.home(p), true
	case !a.mayBe(p, name):
		return a.home(p), false
	}
	return name, true
}

// placeName is how a page names a place: never by a person.
func placeName(place string) string {
	if strings.HasPrefix(place, "@") {
		return "bot"
	}
	return place
}

func (a *Adapter) home(p Person) string {
	for _, c := range a.c.Seed.Channels {
		if slices.Contains(c.Members, p.ID) {
			return c.ID
		}
	}
	return "@" + p.ID
}

// who is the person the browser acts as; the first one until somebody was chosen.
func (a *Adapter) who(r *http.Request) Person {
	if c, err := r.Cookie("acting"); err == nil {
		if p, ok := a.person(c.Value); ok {
			return p
		}
	}
	return a.c.Seed.People[0]
}

func (a *Adapter) langOf(p Person) prompts.Lang {
	if l, ok := a.langs[p.ID]; ok {
		return l
	}
	return p.Lang
}

// answer shows a response to its person: a form in a dialog, a message as a note.
func (a *Adapter) answer(p Person, place, below string, r bot.Response) error {
	if r.Form == nil && r.Message == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Form != nil {
		a.forms[p.ID] = &opened{ID: rand.Text(), Form: r.Form, Errors: r.Errors, Place: place}
	}
	if r.Message != nil {
		if below == "" { // below what was said last, so that what comes later stands after it
			for _, m := range slices.Backward(a.messages) {
				if m.Place == place && m.Thread == "" {
					below = m.ID
					break
				}
			}
		}
		notes := append(a.notes[p.ID], note{ID: rand.Text(), Place: place, Below: below, Message: *r.Message})
		notes = slices.DeleteFunc(notes, func(n note) bool { // one answer below a message
			return below != "" && n.Below == below && n.ID != notes[len(notes)-1].ID
		})
		a.notes[p.ID] = notes[max(0, len(notes)-20):]
	}
	a.changed()
	return nil
}

// button finds the action behind a pressed button: the n-th of a message or note. What is pressed is what the bot
// offered, never what the browser says.
func (a *Adapter) button(p Person, place, id, n string) (bot.Action, string, bool) {
	i, err := strconv.Atoi(n)
	if err != nil || i < 0 {
		return bot.Action{}, "", false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	find := func(m *bot.Message) (bot.Action, bool) {
		k := i
		for _, b := range m.Blocks {
			if k < len(b.Actions) {
				return b.Actions[k], true
			}
			k -= len(b.Actions)
		}
		return bot.Action{}, false
	}
	if s := a.byID[id]; s != nil && s.Place == place && s.Message != nil {
		action, ok := find(s.Message)
		return action, id, ok
	}
	for _, note := range a.notes[p.ID] {
		if note.ID == id {
			action, ok := find(&note.Message)
			return action, note.Below, ok
		}
	}
	if open := a.forms[p.ID]; open != nil && open.ID == id && open.Last != nil {
		action, ok := find(open.Last)
		return action, "", ok
	}
	return bot.Action{}, "", false
}

// events tells a page that something changed; the page then asks for itself again.
func (a *Adapter) events(w http.ResponseWriter, r *http.Request) {
	flusher, ok := w.(http.Flusher)
	if !ok {
		http.Error(w, "no streaming", http.StatusNotImplemented)
		return
	}
	woken := make(chan struct{}, 1)
	a.mu.Lock()
	if len(a.watchers) > 200 {
		a.mu.Unlock()
		http.Error(w, "too many pages", http.StatusTooManyRequests)
		return
	}
	a.watchers[woken] = true
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		delete(a.watchers, woken)
		a.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "retry: 1000\n\nevent: hello\ndata: 0\n\n")
	flusher.Flush()
	beat := time.NewTicker(20 * time.Second)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			if _, err := io.WriteString(w, ": \n\n"); err != nil {
				return
			}
		case <-woken:
			if _, err := io.WriteString(w, "event: changed\ndata: 1\n\n"); err != nil {
				return
			}
		}
		flusher.Flush()
	}
}

// ---- the view

type (
	pageView struct {
		Lang     prompts.Lang
		Person   Person
		RoleName string
		People   []personView
		Places   []placeView
		Here     placeView
		Stream   []messageView
		Notes    []noteView // at the end
		Form     *formView
		Demo     bool
		Back     returned
		Lost     []string // typed, and its place is not on the page
	}
	personView struct {
		Person
		RoleName string
		Acting   bool
	}
	placeView struct {
		ID, Ref, Name, Title, Link string
		Bot, Here, Unread          bool
		Members                    int
	}
	messageView struct {
		ID, Name, Day, Time, ISO, Text string
		Lang                           prompts.Lang
		Bot, Mine, Edited, Unheard     bool
		Draft                          string // what its writer wanted to make of it
		Blocks                         []blockView
		Thread                         []messageView
		Notes                          []noteView
	}
	blockView struct {
		Kind    bot.BlockKind
		Picture template.URL
		URL     string // html/template lets no script through
		Spans   []bot.Span
		Actions []actionView
	}
	actionView struct {
		N int
		bot.Action
	}
	noteView struct {
		ID     string
		Blocks []blockView
		Lang   prompts.Lang
	}
	formView struct {
		ID     string
		At     string // the place it was opened in
		Form   *bot.Form
		Fields []fieldView
		Notice []blockView
		Intro  []blockView
		Last   []blockView
		Lang   prompts.Lang
		Error  string
	}
	fieldView struct {
		bot.Field
		First string
		Error string
		Opts  []optionView
	}
	optionView struct {
		bot.Option
		Chosen bool
	}
)

// T is a text of the workspace itself in the page's language.
func (v pageView) T(key string) string { return locale.Text(v.Lang, "ws."+key) }

func sayer(lang prompts.Lang) func(string, ...string) string {
	return func(key string, pairs ...string) string { return locale.Say(lang, key, pairs...) }
}

func roleName(lang prompts.Lang, r Role) string {
	say := sayer(lang)
	switch r {
	case Manager:
		return say("ws.role-manager")
	case Editor:
		return say("ws.role-editor")
	}
	return say("ws.role-member")
}

func (a *Adapter) view(p Person, place string, back returned) pageView {
	a.mu.Lock()
	defer a.mu.Unlock()
	lang := a.langOf(p)
	v := pageView{
		Lang: lang, Person: p, RoleName: roleName(lang, p.Role), Demo: a.c.Controls != nil, Back: back, Lost: back.Values,
	}
	for _, q := range a.c.Seed.People {
		v.People = append(v.People, personView{Person: q, RoleName: roleName(lang, q.Role), Acting: q.ID == p.ID})
	}
	totals := map[string]int{}
	for _, m := range a.messages {
		totals[m.Place]++
	}
	if a.seen[p.ID] == nil {
		a.seen[p.ID] = map[string]int{}
		maps.Copy(a.seen[p.ID], totals)
	}
	a.seen[p.ID][place] = totals[place]
	add := func(pv placeView) {
		pv.Here = pv.ID == place
		pv.Ref = placeName(pv.ID)
		pv.Unread = !pv.Here && totals[pv.ID] > a.seen[p.ID][pv.ID]
		pv.Link = link(pv.ID)
		v.Places = append(v.Places, pv)
		if pv.Here {
			v.Here = pv
		}
	}
	for _, c := range a.c.Seed.Channels {
		if slices.Contains(c.Members, p.ID) {
			add(placeView{ID: c.ID, Name: c.ID, Title: c.Title.In(lang), Members: len(c.Members)})
		}
	}
	add(placeView{ID: "@" + p.ID, Name: "Weerklank", Title: sayer(lang)("ws.bot-title"), Bot: true})

	notes := map[string][]noteView{}
	for _, n := range a.notes[p.ID] {
		if n.Place == place {
			notes[n.Below] = append(notes[n.Below], noteView{ID: n.ID, Blocks: blocks(n.Message), Lang: n.Message.Lang})
		}
	}
	here := slices.DeleteFunc(slices.Clone(a.messages), func(m *said) bool { return m.Place != place })
	here = here[max(0, len(here)-maxShown):]
	index := map[string]int{}
	unheard := map[string]bool{}
	for _, l := range a.unheard {
		unheard[l.ID] = unheard[l.ID] || a.failed[l.Event]
	}
	lost := back.Edit != ""
	lastDay := ""
	for _, m := range here {
		mv := a.messageView(m, p, lang)
		mv.Notes, mv.Unheard = notes[m.ID], unheard[m.ID]
		if m.ID == back.ID && mv.Mine {
			mv.Draft, lost = back.Edit, false
		}
		delete(notes, m.ID)
		if i, ok := index[m.Thread]; ok && m.Thread != "" {
			mv.Day = ""
			v.Stream[i].Thread = append(v.Stream[i].Thread, mv)
			continue
		}
		if mv.Day == lastDay {
			mv.Day = ""
		} else {
			lastDay = mv.Day
		}
		index[m.ID] = len(v.Stream)
		v.Stream = append(v.Stream, mv)
	}
	if lost {
		v.Lost = append(v.Lost, back.Edit)
	}
	for _, rest := range notes {
		v.Notes = append(v.Notes, rest...)
	}
	if open := a.forms[p.ID]; open != nil {
		v.Form = viewForm(open, lang)
	}
	return v
}

func (a *Adapter) messageView(m *said, p Person, lang prompts.Lang) messageView {
	at := m.At.In(a.c.Zone)
	mv := messageView{
		ID: m.ID, Day: locale.Date(lang, at), Time: at.Format("15:04"), ISO: at.Format(time.RFC3339), Text: m.Text,
		Mine: m.From == p.ID, Edited: m.Edited, Bot: m.From == "", Name: "Weerklank",
	}
	if m.Message != nil {
		mv.Blocks, mv.Lang = blocks(*m.Message), m.Message.Lang
	}
	if q, ok := a.person(m.From); ok {
		mv.Name = q.Name
	}
	return mv
}

func blocks(m bot.Message) []blockView {
	var out []blockView
	n := 0
	for _, b := range m.Blocks {
		bv := blockView{Kind: b.Kind, Spans: b.Spans, URL: b.URL}
		if b.Kind == bot.BlockPicture {
			bv.Picture = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.PNG))
		}
		for _, action := range b.Actions {
			bv.Actions = append(bv.Actions, actionView{N: n, Action: action})
			n++
		}
		out = append(out, bv)
	}
	return out
}

func viewForm(open *opened, lang prompts.Lang) *formView {
	v := &formView{ID: open.ID, At: placeName(open.Place), Form: open.Form, Error: open.Errors[""], Lang: lang}
	if open.Last != nil {
		v.Last, v.Lang = blocks(*open.Last), open.Last.Lang
		return v
	}
	v.Lang = open.Form.Lang
	v.Notice = blocks(bot.Message{Blocks: open.Form.Notice})
	v.Intro = blocks(bot.Message{Blocks: open.Form.Intro})
	for _, f := range open.Form.Fields {
		fv := fieldView{Field: f, Error: open.Errors[f.Name]}
		if len(f.Value) > 0 {
			fv.First = f.Value[0]
		}
		for _, o := range f.Options {
			fv.Opts = append(fv.Opts, optionView{Option: o, Chosen: slices.Contains(f.Value, o.Value)})
		}
		v.Fields = append(v.Fields, fv)
	}
	return v
}

func initial(name string) string {
	for _, r := range name {
		return strings.ToUpper(string(r))
	}
	return "?"
}

// hue picks one of twelve colours for a name, always the same.
func hue(name string) int {
	n := 0
	for _, r := range name {
		n = n*31 + int(r)
	}
	return ((n % 12) + 12) % 12
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
