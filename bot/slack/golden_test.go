package slack

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make it with -update, and read it aloud)", err)
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s differs from line %d; see it with -update and git diff", path, i+1)
		}
	}
}

// drawn is blocks for people who read a golden file.
func drawn(all []any) string {
	var out strings.Builder
	text := func(v any) string {
		o, _ := v.(object)
		s, _ := o["text"].(string)
		return s
	}
	runs := func(v any) string {
		var s strings.Builder
		for _, e := range list(v) {
			if o, _ := e.(object); o["style"] != nil {
				s.WriteString("**" + text(e) + "**")
			} else {
				s.WriteString(text(e))
			}
		}
		return s.String()
	}
	for _, v := range all {
		b, _ := v.(object)
		switch kind := fmt.Sprint(b["type"]); kind {
		case "header":
			fmt.Fprintf(&out, "# %s\n", text(b["text"]))
		case "divider":
			out.WriteString("---\n")
		case "section":
			if b["text"] != nil {
				fmt.Fprintf(&out, "%s\n", text(b["text"]))
			}
			for _, f := range list(b["fields"]) {
				fmt.Fprintf(&out, "| %s ", text(f))
			}
			if b["fields"] != nil {
				out.WriteString("|\n")
			}
		case "context":
			for _, e := range list(b["elements"]) {
				fmt.Fprintf(&out, "~ %s\n", text(e))
			}
		case "image":
			fmt.Fprintf(&out, "![%s]\n", b["alt_text"])
		case "actions":
			for _, e := range list(b["elements"]) {
				o, _ := e.(object)
				mark := ""
				if o["style"] != nil {
					mark = "!"
				}
				fmt.Fprintf(&out, "[%s%s] ", mark, text(o["text"]))
			}
			out.WriteString("\n")
		case "rich_text":
			for _, e := range list(b["elements"]) {
				o, _ := e.(object)
				switch o["type"] {
				case "rich_text_quote":
					out.WriteString("> " + strings.ReplaceAll(runs(o["elements"]), "\n", "\n> ") + "\n")
				case "rich_text_preformatted":
					out.WriteString("```\n" + runs(o["elements"]) + "\n```\n")
				case "rich_text_list":
					first, _ := o["offset"].(float64)
					for i, item := range list(o["elements"]) {
						it, _ := item.(object)
						fmt.Fprintf(&out, "%d. %s\n", int(first)+i+1, runs(it["elements"]))
					}
				default:
					out.WriteString(runs(o["elements"]) + "\n")
				}
			}
		case "input":
			e, _ := b["element"].(object)
			fmt.Fprintf(&out, "? %s", text(b["label"]))
			if b["optional"] != true {
				out.WriteString(" *")
			}
			if b["hint"] != nil {
				fmt.Fprintf(&out, " (%s)", text(b["hint"]))
			}
			fmt.Fprintf(&out, " <%s", e["type"])
			if e["max_length"] != nil {
				fmt.Fprintf(&out, " %v", e["max_length"])
			}
			out.WriteString(">\n")
			if e["initial_value"] != nil {
				fmt.Fprintf(&out, "  = %s\n", strings.ReplaceAll(fmt.Sprint(e["initial_value"]), "\n", "\n  = "))
			}
			chosen := fmt.Sprint(append(list(e["initial_options"]), e["initial_option"]))
			for _, o := range list(e["options"]) {
				mark := "o"
				if strings.Contains(chosen, fmt.Sprint(o)) {
					mark = "x"
				}
				p, _ := o.(object)
				fmt.Fprintf(&out, "  %s %s\n", mark, text(p["text"]))
			}
		}
	}
	return out.String()
}

// listener renders and checks everything that a bot says, and keeps what is new.
type listener struct {
	t             *testing.T
	mu            sync.Mutex
	said, answers record // apart: which of two comes first when they are sent at once, is nobody's
	all           []bot.Message
	form          []*bot.Form
}

// record is what was shown, each thing once.
type record struct {
	out  strings.Builder
	seen map[string]bool
}

func (l *record) show(what, text string) {
	if !l.seen[text] {
		l.seen[text] = true
		fmt.Fprintf(&l.out, "=== %s\n%s\n", what, text)
	}
}

func newListener(t *testing.T) *listener {
	return &listener{t: t, said: record{seen: map[string]bool{}}, answers: record{seen: map[string]bool{}}}
}

// heard is all of it.
func (l *listener) heard() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers.out.String() + l.said.out.String()
}

// message holds m to the rules as a message, a modal and a home.
func (l *listener) message(in *record, what string, m bot.Message, key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, m)
	r, s := must(l.t, what, m)
	if r == nil {
		return
	}
	everything := squeezed(strings.Join(s.words, ""))
	for _, b := range m.Blocks {
		for _, span := range b.Spans {
			if want := squeezed(span.Text); !strings.Contains(everything, want) {
				l.t.Errorf("%s lost %q", what, span.Text)
			}
		}
	}
	in.show(what, r.Text+"\n--- blocks\n"+drawn(list(sent(l.t, object{"blocks": r.Blocks})["blocks"])))
	l.views(what, m, key)
}

func (l *listener) views(what string, m bot.Message, key string) {
	st := stateOf
	st.Key = key
	v, err := messageView(m, st)
	if err != nil {
		l.t.Errorf("%s in a modal: %v", what, err)
		return
	}
	s := &shape{}
	s.view(l.t, v)
	s.fail(l.t, what+" in a modal")
	h, err := homeView(m, st)
	if err != nil {
		l.t.Errorf("%s as home: %v", what, err)
		return
	}
	s = &shape{}
	s.view(l.t, h)
	s.fail(l.t, what+" as home")
}

// opened holds a form to the rules, and sees that nothing of it got lost.
func (l *listener) opened(what string, f *bot.Form) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.form = append(l.form, f)
	l.answers.show(what, checkForm(l.t, what, f))
}

func (l *listener) answered(what string, e bot.Event, r bot.Response) {
	if r.Message != nil {
		l.message(&l.answers, what, *r.Message, "")
	}
	if r.Form != nil {
		l.opened(what, r.Form)
	}
	form, ok := e.(bot.FormSubmitted)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.form, func(f *bot.Form) bool { return f.Name == form.Form && f.State == form.State })
	if i < 0 {
		l.t.Errorf("%s answers no form", what)
		return
	}
	was, err := formView(l.form[i], stateOf)
	if err != nil {
		l.t.Errorf("%s: %v", what, err)
		return
	}
	st, err := readState(was.PrivateMetadata)
	if err != nil {
		l.t.Errorf("%s: %v", what, err)
	}
	a, err := submitAnswer(r, st)
	if err != nil {
		l.t.Errorf("%s: %v", what, err)
		return
	}
	if raw, err := json.Marshal(a); err != nil || len(raw) > 19<<10 { // Slack drops one of 20 KiB and says nothing
		l.t.Errorf("%s: an acknowledgement of %d bytes, %v", what, len(raw), err)
	}
	switch text := "acknowledged with " + string(a.ResponseAction) + "\n"; {
	case a.View != nil:
		s := &shape{}
		s.view(l.t, a.View)
		s.fail(l.t, what)
		l.answers.show(what, text+viewText(l.t, a.View))
	default:
		ids := map[string]bool{}
		for _, b := range was.Blocks.BlockSet {
			ids[b.ID()] = string(b.BlockType()) == "input"
		}
		for _, id := range slices.Sorted(func(yield func(string) bool) {
			for id := range a.Errors {
				if !yield(id) {
					return
				}
			}
		}) {
			if !ids[id] {
				l.t.Errorf("%s: an error at %s, which is no input", what, id)
			}
			text += id + ": " + a.Errors[id] + "\n"
		}
		l.answers.show(what, text)
	}
}

func viewText(t testing.TB, v any) string {
	o := sent(t, v)
	title, _ := o["title"].(object)
	submit, _ := o["submit"].(object)
	shut, _ := o["close"].(object)
	return fmt.Sprintf("[%v]\n%s[%v] [%v]\n", title["text"], drawn(list(o["blocks"])), shut["text"], submit["text"])
}

// checkForm makes a modal of a form and reads what comes back if nothing in it is changed.
func checkForm(t testing.TB, what string, f *bot.Form) string {
	t.Helper()
	v, err := formView(f, stateOf)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return ""
	}
	s := &shape{}
	s.view(t, v)
	s.fail(t, what)
	if v.Title.Text != f.Title || v.Submit.Text != f.Submit {
		t.Errorf("%s: %q or %q does not fit", what, f.Title, f.Submit)
	}
	all := squeezed(strings.Join(s.words, ""))
	there := func(text string) {
		t.Helper()
		if !strings.Contains(all, squeezed(text)) {
			t.Errorf("%s: %q is lost", what, text)
		}
	}
	for _, b := range slices.Concat(f.Notice, f.Intro) {
		for _, span := range b.Spans {
			there(span.Text)
		}
	}
	st, err := readState(v.PrivateMetadata)
	if err != nil || st.Form != f.Name || st.State != f.State || st.Team != stateOf.Team || st.Lang != f.Lang || st.Nonce != "n1" {
		t.Errorf("%s: %+v %v", what, st, err)
	}
	back := st.values(entered(t, v))
	for _, field := range f.Fields {
		there(field.Label)
		there(field.Hint)
		for _, o := range field.Options {
			there(o.Label)
		}
		for _, value := range field.Value {
			if field.Kind == bot.FieldText || field.Kind == bot.FieldLine {
				there(value)
			}
		}
		want := field.Value
		if (field.Kind == bot.FieldText || field.Kind == bot.FieldLine) && len(want) == 0 {
			want = []string{""}
		}
		if field.Kind == bot.FieldOne || field.Kind == bot.FieldMany {
			want = slices.DeleteFunc(slices.Clone(want), func(v string) bool {
				return !slices.ContainsFunc(field.Options, func(o bot.Option) bool { return o.Value == v })
			})
		}
		if got := back[field.Name]; !sameSet(got, want) && units(strings.Join(want, "")) <= maxInput {
			t.Errorf("%s, %s: %q came back as %q", what, field.Name, want, got)
		}
	}
	for _, a := range f.Extra {
		there(a.Label)
	}
	return viewText(t, v)
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// platform is a Slack that shows forms and cannot look up what it posted, and hears what is said on it.
type platform struct {
	chattest.Blind
	bot.Roster
	l *listener
}

func (p platform) Post(ctx context.Context, team bot.TeamID, m bot.Message, thread bot.Ref, key string) (bot.Ref, error) {
	where := "in the channel"
	if thread != "" {
		where = "in a thread"
	}
	p.l.message(&p.l.said, time.Now().UTC().Format("Mon 2 Jan 15:04")+", "+where, m, key)
	return p.Blind.Post(ctx, team, m, thread, key)
}

func (p platform) Edit(ctx context.Context, team bot.TeamID, ref bot.Ref, m bot.Message) error {
	p.l.message(&p.l.said, time.Now().UTC().Format("Mon 2 Jan 15:04")+", edited", m, "")
	return p.Blind.Editor.Edit(ctx, team, ref, m)
}

func (p platform) Direct(ctx context.Context, to bot.Recipient, m bot.Message, key string) error {
	p.l.message(&p.l.said, time.Now().UTC().Format("Mon 2 Jan 15:04")+", in private", m, key)
	return p.Blind.Direct(ctx, to, m, key)
}

func (p platform) Run(ctx context.Context, h bot.Handler) error { return p.Blind.Run(ctx, p.hears(h)) }

func (p platform) hears(h bot.Handler) bot.Handler {
	return func(ctx context.Context, e bot.Event) (bot.Response, error) {
		r, err := h(ctx, e)
		p.l.answered(strings.TrimPrefix(fmt.Sprintf("%T", e), "bot.")+did(e), e, r)
		return r, err
	}
}

func did(e bot.Event) string {
	switch e := e.(type) {
	case bot.Command:
		return " " + e.Text
	case bot.DirectReply:
		return fmt.Sprintf(" %.40q", string(e.Text))
	case bot.ActionPressed:
		return " " + e.Action.Do + " " + e.Action.Arg
	case bot.FormSubmitted:
		return " " + e.Form + " " + e.Action
	}
	return ""
}

const (
	crew   = bot.TeamID("slack:T1/C1")
	office = bot.TeamID("slack:T1/C2") // a second channel of the same people
)

// theatre is a bot on a real store on such a platform.
type theatre struct {
	t    *testing.T
	ctx  context.Context
	fake *chattest.Fake
	on   platform
	db   *store.DB
	bot  *bot.Bot
	o    bot.Options
	lang prompts.Lang
}

func newTheatre(t *testing.T, lang prompts.Lang, change func(*bot.Options)) *theatre {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Mkdir("keys", 0o700); err != nil {
		t.Fatal(err)
	}
	keys, err := root.OpenRoot("keys")
	if err != nil {
		t.Fatal(err)
	}
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	h := &theatre{t: t, ctx: t.Context(), fake: chattest.New("slack"), lang: lang}
	h.on = platform{chattest.NewBlind(h.fake), h.fake, newListener(t)}
	if h.db, err = store.Open(root, "weerklank.db", store.Options{MaxSize: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range 8 {
		p := chattest.Person{ID: fmt.Sprintf("p%d", i+1), Name: fmt.Sprintf("Person %d", i+1), Lang: lang, Channels: []bot.TeamID{crew, office}}
		if i == 0 {
			p.Manages = []bot.TeamID{crew, office}
		}
		h.fake.Add(p)
	}
	h.o = bot.Options{
		Store: h.db, Keys: store.OpenKeys(keys), Chats: []bot.Chat{h.on}, Log: slog.New(slog.DiscardHandler), Library: lib,
		Team: bot.Settings{Rhythm: bot.RhythmWeekly, Window: "6d", GiveBackAfter: "5h", Zone: "Europe/Amsterdam", Lang: lang, MinReplies: 5,
			QuietHours: "18:00-08:00", WorkdaysOnly: true, Holidays: []string{"nl"}},
		Activation: "direct", Limits: bot.Limits{MinReplies: 5, MinMembers: 6}, KeepDays: 90, PublicSector: true,
		Editors: []bot.ActorID{"slack:p8"},
	}
	if change != nil {
		change(&h.o)
	}
	if h.bot, err = bot.New(h.o); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.bot.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done
	})
	synctest.Wait()
	return h
}

func (h *theatre) must(r bot.Response, err error) bot.Response {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *theatre) says(dutch, english string) string {
	if h.lang == prompts.Dutch {
		return dutch
	}
	return english
}

func (h *theatre) command(person, text string) bot.Response {
	h.t.Helper()
	return h.must(h.fake.Command(h.ctx, person, crew, text))
}

func (h *theatre) types(person, text string) bot.Response {
	h.t.Helper()
	_, r, err := h.fake.Type(h.ctx, person, text)
	return h.must(r, err)
}

func (h *theatre) press(person string, a bot.Action) bot.Response {
	h.t.Helper()
	return h.must(h.fake.Press(h.ctx, person, crew, a))
}

func (h *theatre) submit(person string, f *bot.Form, values map[string][]string) bot.Response {
	h.t.Helper()
	return h.must(h.fake.Submit(h.ctx, person, crew, f, values))
}

func (h *theatre) on1(rhythm string) {
	h.t.Helper()
	form := h.command("p1", h.says("aan", "on")).Form
	r := h.submit("p1", form, map[string][]string{"rhythm": {rhythm}, "adviser": {"Sam de Wit <tst> & co (12)"}, "worktime": {"yes"}, "works_council": {"yes"}, "privacy_officer": {"yes"}})
	if !r.Kept {
		h.t.Fatalf("%+v", r)
	}
	synctest.Wait()
}

// open is the round that takes replies or votes.
func (h *theatre) open() bot.Round {
	h.t.Helper()
	synctest.Wait()
	team, err := h.db.Team(h.ctx, crew)
	if err != nil {
		h.t.Fatal(err)
	}
	id := team.Open
	if id == "" {
		id = team.Vote
	}
	if id == "" {
		return bot.Round{}
	}
	r, err := h.db.Round(h.ctx, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// Two rounds at once, a message of which nobody knows whether it stands there, and answers that are taken away: all that is
// said about them fits.
func TestTroubleFits(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			chattest.Bubble(t, func(t *testing.T) {
				chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
				h := newTheatre(t, lang, nil)
				trouble(h)
				heard := h.on.l.heard()
				for _, key := range []string{"team.uncertain-not", "round.quotes-gone", "reply.removed"} {
					if !strings.Contains(heard, locale.Text(lang, key)) {
						t.Errorf("%s was not said", key)
					}
				}
			})
		})
	}
}

func trouble(h *theatre) {
	say := h.says
	h.types("p2", say("uit", "off"))
	h.on1("weekly")
	form := h.must(h.fake.Command(h.ctx, "p1", office, say("aan", "on"))).Form
	h.must(h.fake.Submit(h.ctx, "p1", office, form, map[string][]string{"adviser": {"Noor"}, "worktime": {"yes"}, "works_council": {"yes"}, "privacy_officer": {"yes"}}))
	chattest.Until(time.Date(2026, 9, 1, 7, 59, 0, 0, time.UTC))
	synctest.Wait()
	h.fake.SetFault(func(what string, team bot.TeamID) (error, bool) {
		if what == "post" && team == crew {
			return bot.ErrUncertain, true
		}
		return nil, false
	})
	chattest.Until(time.Date(2026, 9, 1, 8, 10, 0, 0, time.UTC))
	synctest.Wait()
	h.fake.SetFault(nil)
	h.command("p1", "status")
	r := h.open()
	h.must(h.fake.Press(h.ctx, "p1", "", bot.Action{Do: "there", Round: r.ID}))
	h.types("p1", say("staat er", "it is there"))
	h.types("p2", say("Bij welke vraag hoort dit?", "Which question is this about?"))
	h.types("p2", "1")
	h.types("p2", "2")
	code := regexp.MustCompile(`[A-Z0-9]{4}(-[A-Z0-9]{4})+`)
	var codes []string
	for i := 1; i <= 7; i++ {
		who := fmt.Sprintf("p%d", i)
		got := h.submit(who, h.press(who, bot.Action{Do: "answer", Round: r.ID}).Form, map[string][]string{"text": {fmt.Sprintf("Antwoord %d", i)}, "share": {"share"}, "tags": {"other"}, "other": {"<iets>"}})
		if got.Message == nil {
			h.t.Fatalf("%+v", got)
		}
		codes = append(codes, code.FindString(got.Message.Plain()))
	}
	h.types("p2", say("wijzig", "change"))
	h.types("p2", say("trek in", "withdraw"))
	h.types("p2", "code")
	chattest.Until(time.Date(2026, 9, 7, 13, 1, 0, 0, time.UTC))
	synctest.Wait()
	for i, c := range codes {
		h.types(fmt.Sprintf("p%d", i+1), say("verwijder", "remove")+" "+c)
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	h.command("p2", say("seizoen", "season"))
	h.command("p2", "status")
	h.command("p1", say("pauze na een incident", "pause after an incident"))
	h.command("p1", say("uit", "off"))
	h.command("p2", say("volgende", "next"))
}

// A team's first weeks, as Slack gets them: all that is said in the channel, in private and in modals.
func TestGoldenStory(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 11)
			chattest.Bubble(t, func(t *testing.T) {
				chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
				h := newTheatre(t, lang, nil)
				firstWeeks(h)
				golden(t, "story."+string(lang)+".md", h.on.l.heard())
			})
		})
	}
}

func firstWeeks(h *theatre) {
	say := h.says
	h.command("p2", "help")
	h.command("p2", say("aan", "on"))
	form := h.command("p1", say("aan", "on")).Form
	h.submit("p1", form, map[string][]string{"lang": {"nl"}, "rhythm": {"custom"}, "statement": {""}})
	h.on1("weekly")
	h.types("p3", say("wanneer begint het", "when does it start"))
	chattest.Until(time.Date(2026, 9, 1, 8, 0, 1, 0, time.UTC))
	r := h.open()
	for _, v := range []string{say("waarom", "why"), "status", say("volgende", "next"), say("seizoen", "season"), say("mij", "me"), "help", say("koffie", "coffee")} {
		h.command("p2", v)
	}
	h.command("p1", "help")
	h.command("p8", say("bibliotheek", "library"))
	h.command("p8", say("bibliotheek zoek brug", "library search bridge"))
	h.command("p8", say("bibliotheek toon bridge-one-more-boat", "library show bridge-one-more-boat"))
	words := h.command("p8", say("bibliotheek wijzig bridge-one-more-boat nl", "library edit bridge-one-more-boat nl")).Form
	h.submit("p8", words, map[string][]string{"title": {strings.Repeat("lang", 30)}})
	h.command("p8", say("bibliotheek wijzig bridge-one-more-boat", "library edit bridge-one-more-boat"))
	h.command("p8", say("bibliotheek help", "library help"))
	h.command("p2", say("bibliotheek toon bridge-one-more-boat", "library show bridge-one-more-boat"))
	h.types("p3", say("voorstel", "propose"))
	brings := h.command("p3", say("voorstel", "propose")).Form
	dilemma := map[string][]string{"situation": {say("Ze bellen altijd op dinsdag. Bel Jan op 06-12345678.", "They always call on Tuesday. Call Jan on 06-12345678.")}, "a": {"a"}}
	h.submit("p3", brings, dilemma)
	dilemma = map[string][]string{"situation": {say("Ze bellen altijd als het druk is.", "They always call when it is busy.")}, "a": {say("Ik neem op.", "I answer.")}, "b": {say("Ik werk door.", "I go on.")}}
	h.submit("p3", brings, dilemma)
	time.Sleep(time.Second)
	h.submit("p3", brings, dilemma)
	h.command("p8", say("bibliotheek", "library"))
	answer := h.press("p1", bot.Action{Do: "answer", Round: r.ID}).Form
	h.submit("p1", answer, map[string][]string{"text": {strings.Repeat("woord ", 300)}, "tags": {"none", "unknown", "other"}})
	h.submit("p1", answer, nil)
	h.submit("p1", answer, map[string][]string{"text": {say("Bel Jan op 06-12345678.", "Call Jan on 06-12345678.")}, "share": {"share"}})
	h.must(h.fake.Send(h.ctx, bot.FormSubmitted{From: h.fake.From("p1", crew), Form: answer.Name, State: answer.State, Action: "strike",
		Values: map[string][]string{"text": {say("Bel Jan op 06-12345678.", "Call Jan on 06-12345678.")}}}))
	h.submit("p2", h.press("p2", bot.Action{Do: "answer", Round: r.ID}).Form, map[string][]string{"text": {say("Ik wil niet meer leven.", "I want to kill myself.")}, "share": {"share"}})
	h.submit("p1", answer, map[string][]string{"text": {say("Ik kijk eerst wie er staat.\n<!channel> *nu*", "I look first at who is there.\n<!channel> *now*")}, "share": {"share"}, "tags": {"tailoring-equality"}})
	h.submit("p2", answer, map[string][]string{"text": {"x"}, "share": {"count"}})
	h.submit("p2", answer, map[string][]string{"text": {"x"}, "share": {"self"}})
	h.press("p1", bot.Action{Do: "answer", Round: r.ID})
	h.press("p1", bot.Action{Do: "why", Round: r.ID})
	h.press("p1", bot.Action{Do: "me"})
	h.press("p1", bot.Action{Do: "help"})
	h.types("p3", say("Eerst de afspraak.", "The agreement first."))
	h.types("p3", say("En dan pas de rest.", "Only then the rest."))
	h.types("p3", "2")
	h.types("p3", "1 3")
	h.types("p3", say("Nog iets.", "One more thing."))
	h.types("p3", say("erbij", "add"))
	h.types("p3", say("deel", "share"))
	h.press("p3", bot.Action{Do: "receipt", Round: r.ID})
	h.types("p4", "\u200b\u200b")
	h.types("p4", strings.Repeat("woord ", 400))
	h.types("p4", say("Bel mij op 06-12345678.", "Call me on 06-12345678."))
	h.types("p4", "3")
	h.types("p4", say("Ik wil niet meer leven.", "I want to kill myself."))
	h.types("p4", say("trek in", "withdraw"))
	for i := 4; i <= 6; i++ {
		h.types(fmt.Sprintf("p%d", i), fmt.Sprintf(say("Antwoord %d.", "Answer %d."), i))
		h.types(fmt.Sprintf("p%d", i), "2")
	}
	h.types("p5", say("wijzig", "change"))
	h.types("p7", say("trek in", "withdraw"))
	h.types("p7", say("verwijder", "remove")+" AAAA-BBBB-CCCC-DDDD")
	remove := h.types("p7", say("verwijder", "remove")).Form
	h.submit("p7", remove, map[string][]string{"code": {"AAAA"}})
	h.command("p6", say("pauze", "pause"))
	time.Sleep(time.Second)
	h.command("p7", say("overslaan", "skip"))
	settings := h.command("p1", say("instellingen", "settings")).Form
	h.submit("p1", settings, map[string][]string{"min_replies": {"2"}, "cron": {"TZ=UTC 0 10 * * *"}, "zone": {"Europe/Nergens"}, "quiet_hours": {"late"}})
	h.submit("p1", settings, map[string][]string{"min_replies": {"6"}, "audience": {"outdoor-crew"}})
	chattest.Until(time.Date(2026, 9, 7, 13, 0, 1, 0, time.UTC))
	synctest.Wait()
	h.types("p8", say("Ik was te laat.", "I was late."))
	h.press("p8", bot.Action{Do: "answer", Round: r.ID})
	team, err := h.db.Team(h.ctx, crew)
	if err != nil || len(team.Follows) != 1 {
		h.t.Fatal(team.Follows, err)
	}
	h.types("p8", "2")
	for i := 2; i <= 5; i++ {
		who := fmt.Sprintf("p%d", i)
		h.submit(who, h.press(who, bot.Action{Do: "answer", Round: team.Follows[0]}).Form, map[string][]string{
			"text": {fmt.Sprintf(say("Verder <!here> %d.", "More <!here> %d."), i)}, "share": {"share"}})
	}
	chattest.Until(time.Date(2026, 9, 15, 8, 0, 1, 0, time.UTC)) // the pause is over
	r = h.open()
	h.submit("p1", h.press("p1", bot.Action{Do: "answer", Round: r.ID}).Form, map[string][]string{"text": {"x"}, "share": {"share"}})
	h.command("p1", say("uit", "off"))
	chattest.Until(time.Date(2026, 9, 21, 13, 0, 1, 0, time.UTC))
	synctest.Wait()
	h.command("p2", "status")
}

// Half a year in the rhythms there are, asked first and switched on at once, with many answers and few: whatever is said fits.
func TestLongRunFits(t *testing.T) {
	lives := map[prompts.Lang][]string{prompts.Dutch: {"weekly", "fortnightly", "monthly"}, prompts.English: {"four-beat", "talk-only"}}
	days := 140 // of weekly rounds: a season, its vote, and two thin rounds after it
	switch {
	case os.Getenv("WEERKLANK_LONG") != "": // every rhythm in both languages, half a year
		lives[prompts.Dutch] = append(lives[prompts.Dutch], lives[prompts.English]...)
		lives[prompts.English], days = lives[prompts.Dutch], 182
	case Raced:
		lives = map[prompts.Lang][]string{prompts.Dutch: {"weekly"}, prompts.English: {"four-beat"}}
	}
	for _, lang := range prompts.Langs() {
		for _, rhythm := range lives[lang] {
			t.Run(string(lang)+" "+rhythm, func(t *testing.T) {
				chattest.Bubble(t, func(t *testing.T) { longRun(t, lang, rhythm, days, func(*bot.Options) {}) })
			})
		}
	}
}

func longRun(t *testing.T, lang prompts.Lang, rhythm string, days int, change func(*bot.Options)) *theatre {
	chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
	h := newTheatre(t, lang, func(o *bot.Options) {
		change(o)
		if rhythm == "weekly" || rhythm == "monthly" {
			o.Activation = "announced"
		}
	})
	h.on1(rhythm)
	done := map[bot.RoundID]bool{}
	for day := range days {
		chattest.Until(time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC).AddDate(0, 0, day))
		r := h.open()
		if r.ID == "" || done[r.ID] {
			continue
		}
		done[r.ID] = true
		h.command("p2", "status")
		people := 7
		if r.Kind == bot.RoundQuestion && (len(done)%4 == 0 || len(done) > 12) {
			people = 2
		}
		for i := range people {
			who := fmt.Sprintf("p%d", i+2)
			if r.Kind != bot.RoundQuestion {
				arg := map[bot.RoundKind]string{bot.RoundJoin: "yes", bot.RoundPace: "less", bot.RoundSeason: "go-on"}[r.Kind]
				h.press(who, bot.Action{Do: "vote", Round: r.ID, Arg: arg})
				continue
			}
			f := h.press(who, bot.Action{Do: "answer", Round: r.ID}).Form
			if f == nil {
				t.Fatal("no form")
			}
			h.submit(who, f, map[string][]string{"text": {strings.TrimSpace(strings.Repeat(fmt.Sprintf("Dit zijn mijn <woorden> & meer %d. ", i), 1+i*4))}, "share": {"share"}, "tags": {"tailoring-equality"}})
		}
		h.command("p2", h.says("seizoen", "season"))
		h.command("p2", h.says("waarom", "why"))
		h.command("p2", h.says("mij", "me"))
	}
	if len(done) == 0 && rhythm != "talk-only" {
		t.Error("nothing was asked")
	}
	h.on.l.mu.Lock()
	defer h.on.l.mu.Unlock()
	kinds := map[bot.BlockKind]bool{}
	for _, m := range h.on.l.all {
		for _, b := range m.Blocks {
			kinds[b.Kind] = true
		}
	}
	for _, kind := range []bot.BlockKind{bot.BlockHeading, bot.BlockText, bot.BlockQuote, bot.BlockNote, bot.BlockActions} {
		if !kinds[kind] {
			t.Errorf("no %s was said", kind)
		}
	}
	return h
}
