package mattermost

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// house is a bot on a real store, with a platform that shows dialogs as this one does.
type house struct {
	t    *testing.T
	fake *chattest.Fake
	bot  *bot.Bot
	db   *store.DB
	o    bot.Options
}

type dialogs struct {
	*chattest.Fake
	shows bool
}

func (d dialogs) Forms() bool { return d.shows }
func (d dialogs) Shuts() bool { return true }

const wing = bot.TeamID("mattermost:wing")

func newHouse(t *testing.T, lang prompts.Lang, shows bool) *house {
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
	h := &house{t: t, fake: chattest.New(Platform)}
	if h.db, err = store.Open(root, "weerklank.db", store.Options{MaxSize: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range 8 {
		p := chattest.Person{ID: fmt.Sprintf("p%d", i+1), Name: fmt.Sprintf("Person %d", i+1), Lang: lang, Channels: []bot.TeamID{wing}}
		if i == 0 {
			p.Manages = []bot.TeamID{wing}
		}
		h.fake.Add(p)
	}
	h.o = bot.Options{
		Store: h.db, Keys: store.OpenKeys(keys), Chats: []bot.Chat{dialogs{h.fake, shows}}, Log: slog.New(slog.DiscardHandler), Library: lib,
		Team: bot.Settings{Rhythm: bot.RhythmWeekly, Window: "6d", GiveBackAfter: "5h", Zone: "Europe/Amsterdam", Lang: lang, MinReplies: 5,
			QuietHours: "18:00-08:00", WorkdaysOnly: true, Holidays: []string{"nl"}},
		Activation: "direct", Limits: bot.Limits{MinReplies: 5, MinMembers: 6}, KeepDays: 90, PublicSector: true,
		Editors: []bot.ActorID{bot.ActorID(Platform + ":p8")},
	}
	h.again()
	return h
}

// again is the program started anew.
func (h *house) again() {
	h.t.Helper()
	var err error
	if h.bot, err = bot.New(h.o); err != nil {
		h.t.Fatal(err)
	}
	h.fake.Use(h.bot.Handle)
}

func (h *house) must(r bot.Response, err error) bot.Response {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *house) command(person, text string) bot.Response {
	h.t.Helper()
	return h.must(h.fake.Command(h.t.Context(), person, wing, text))
}

func (h *house) on() {
	h.t.Helper()
	form := h.command("p1", "aan")
	r := h.must(h.fake.Submit(h.t.Context(), "p1", wing, form.Form, map[string][]string{
		"adviser": {"Sam de Wit (tst 12)"}, "worktime": {"yes"}, "works_council": {"yes"}, "privacy_officer": {"yes"}}))
	if !r.Kept {
		h.t.Fatalf("%+v", r)
	}
}

// open lets the first question be asked and returns its round; the program rests after that.
func (h *house) open() bot.Round {
	h.t.Helper()
	chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
	h.on()
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- h.bot.Run(ctx) }()
	chattest.Until(time.Date(2026, 9, 1, 8, 0, 1, 0, time.UTC))
	synctest.Wait()
	cancel()
	<-done
	h.again()
	team, err := h.db.Team(h.t.Context(), wing)
	if err != nil || team.Open == "" {
		h.t.Fatal(team.Open, err)
	}
	r, err := h.db.Round(h.t.Context(), team.Open)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// checkForm holds a form's dialog to our table and the library's, and sees that nothing of it got lost.
func checkForm(t *testing.T, what string, f *bot.Form) {
	t.Helper()
	d, specs, err := dialogOf(f)
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if err := d.IsValid(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	all := strings.Builder{}
	all.WriteString(d.Title + "\n" + d.IntroductionText + "\n")
	for _, e := range d.Elements {
		all.WriteString(e.DisplayName + "\n" + e.HelpText + "\n" + e.Placeholder + "\n" + e.Default + "\n")
		for _, o := range e.Options {
			all.WriteString(o.Text + "\n" + o.Value + "\n")
		}
	}
	there := func(text string) {
		t.Helper()
		if got := all.String(); !strings.Contains(got, text) && !strings.Contains(got, escape(text)) {
			t.Errorf("%s: %q is lost in\n%s", what, text, got)
		}
	}
	there(f.Title)
	for _, b := range slices.Concat(f.Notice, f.Intro) {
		for _, s := range b.Spans {
			there(strings.TrimSpace(s.Text))
		}
	}
	sent := map[string]any{}
	for _, e := range d.Elements {
		if sent[e.Name] = e.Default; e.Type == "bool" {
			sent[e.Name] = e.Default == "true"
		}
	}
	back, picked := values(specs, len(f.Extra), sent)
	if picked != -1 {
		t.Errorf("%s: picked %d", what, picked)
	}
	for _, field := range f.Fields {
		there(field.Label)
		there(field.Hint)
		for _, o := range field.Options {
			there(o.Label)
		}
		for _, v := range field.Value {
			there(v)
		}
		long := len(strings.Join(field.Value, "")) > maxTextarea
		if got, want := strings.Join(back[field.Name], "|"), strings.Join(field.Value, "|"); got != want && !long {
			t.Errorf("%s, %s: %q came back as %q", what, field.Name, want, got)
		}
	}
	l := &callbacks{sign: testSigner(t)}
	state := dialogState{Version: signVersion, Nonce: "n", Until: time.Now().Add(time.Minute).Unix(), Form: f.Name, State: f.State, Fields: specs}
	for _, a := range f.Extra {
		state.Offers = append(state.Offers, offerOf(a))
	}
	if token := l.sign.signDialog("u", state); len(token) > maxToken/2 {
		t.Errorf("%s: a state of %d bytes", what, len(token))
	}
}

// full is a form with as much in it as goes in.
func full(form *bot.Form) *bot.Form {
	for i := range form.Fields {
		f := &form.Fields[i]
		if f.Max > 0 {
			f.Value = []string{strings.Repeat("ë", f.Max)}
		}
		if f.Kind == bot.FieldMany {
			f.Value = nil
			for _, o := range f.Options {
				f.Value = append(f.Value, o.Value)
			}
		}
	}
	return form
}

// Every form of the bot in both languages, the reply form for every built-in question and with the longest that may be in
// it, is a dialog that the server and its clients take.
func TestEveryFormIsADialog(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			chattest.Bubble(t, func(t *testing.T) {
				h := newHouse(t, lang, true)
				chattest.Until(time.Date(2026, 9, 1, 5, 0, 0, 0, time.UTC))
				checkForm(t, "on", h.command("p1", "aan").Form)
				r := h.open()
				settings := h.command("p1", "instellingen").Form
				checkForm(t, "settings", settings)
				checkForm(t, "settings, full", full(settings))
				checkForm(t, "propose", full(h.command("p2", "voorstel").Form))
				for _, what := range []string{"bridge-one-more-boat nl", "bridge-one-more-boat", "tension/quality-speed en", "value/integrity nl", "audience/permits nl"} {
					checkForm(t, what, full(h.command("p8", "bibliotheek wijzig "+what).Form))
				}
				checkForm(t, "remove", h.command("p2", "verwijder").Form)
				ctx := t.Context()
				answer := func() *bot.Form {
					t.Helper()
					form := h.must(h.fake.Press(ctx, "p2", wing, bot.Action{Do: "answer", Round: r.ID})).Form
					if form == nil {
						t.Fatal("no form")
					}
					return form
				}
				for _, p := range h.o.Library.Prompts {
					if err := h.db.UpdateRound(ctx, r.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
						r.Prompt, r.Adviser = p, strings.Repeat("ë", 150)
						return bot.Also{}, nil
					}); err != nil {
						t.Fatal(err)
					}
					h.again()
					checkForm(t, string(p.ID), answer())
				}
				form := answer()
				full := map[string][]string{"text": {strings.TrimSpace(strings.Repeat("woord ", 250))}, "share": {"share"}}
				for _, f := range form.Fields {
					if f.Kind == bot.FieldMany {
						for _, o := range f.Options {
							if o.Value != "none" && o.Value != "unknown" && o.Value != "other" {
								full[f.Name] = append(full[f.Name], o.Value)
							}
						}
					}
				}
				full["other"], full["tags"] = []string{strings.Repeat("ë", 60)}, append(full["tags"], "other")
				if got := h.must(h.fake.Submit(ctx, "p2", wing, form, full)); !got.Kept {
					t.Fatalf("%+v", got.Errors)
				}
				checkForm(t, "answered before", answer())
				long := answer()
				long.Fields[0].Value = []string{strings.TrimSpace(strings.Repeat("woordje ë ", 400))}
				checkForm(t, "more than a field takes", long)
			})
		})
	}
}

func TestValues(t *testing.T) {
	f := &bot.Form{Name: "x", Lang: "nl", Title: "Titel", Submit: "Ja", Fields: []bot.Field{
		{Name: "text", Kind: bot.FieldText, Label: "Tekst"}, {Name: "line", Kind: bot.FieldLine, Label: "Regel"},
		{Name: "one", Kind: bot.FieldOne, Label: "Een", Options: []bot.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}},
		{Name: "many", Kind: bot.FieldMany, Label: "Meer", Options: []bot.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}},
		{Name: "tick", Kind: bot.FieldTick, Label: "Vink", Required: true}}, Extra: []bot.Action{{Do: "withdraw", Label: "Trek in"}}}
	d, specs, err := dialogOf(f)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range d.Elements {
		kinds = append(kinds, e.Name+":"+e.Type)
	}
	if got := strings.Join(kinds, " "); got != "text:textarea line:text one:select many:select many2:select tick:bool do:select" {
		t.Error(got)
	}
	for _, c := range []struct {
		name   string
		sent   map[string]any
		want   map[string][]string
		picked int
	}{
		{"all", map[string]any{"text": "a\nb", "line": " a\nb ", "one": "a", "many": "b", "many2": "a", "tick": true, "do": "0"},
			map[string][]string{"text": {"a\nb"}, "line": {"a b"}, "one": {"a"}, "many": {"b", "a"}, "tick": {"yes"}}, 0},
		{"nothing", nil, map[string][]string{"text": {""}, "line": {""}}, -1},
		{"empty", map[string]any{"text": nil, "one": nil, "many": "", "tick": false}, map[string][]string{"text": {""}, "line": {""}}, -1},
		{"twice the same", map[string]any{"many": "a", "many2": "a"}, map[string][]string{"text": {""}, "line": {""}, "many": {"a"}}, -1},
		{"never offered", map[string]any{"one": "c", "many": "*", "many3": "a", "extra": "x", "do": "1", "tick": "yes"}, map[string][]string{"text": {""}, "line": {""}}, -1},
		{"other types", map[string]any{"text": 7, "one": []any{"a"}, "tick": "true", "do": -1}, map[string][]string{"text": {""}, "line": {""}, "tick": {"yes"}}, -1},
	} {
		got, picked := values(specs, len(f.Extra), c.sent)
		if !maps.EqualFunc(got, c.want, slices.Equal[[]string]) || picked != c.picked {
			t.Errorf("%s: %v %d", c.name, got, picked)
		}
	}
}

func TestDialogTable(t *testing.T) {
	long := strings.Repeat("ë", 13)
	for what, d := range map[string]model.Dialog{
		"title":   {Title: long},
		"none":    {},
		"label":   {Title: "t", Elements: []model.DialogElement{{Name: "a", DisplayName: long, Type: "text"}}},
		"help":    {Title: "t", Elements: []model.DialogElement{{Name: "a", DisplayName: "a", Type: "text", HelpText: strings.Repeat("ë", 76)}}},
		"default": {Title: "t", Elements: []model.DialogElement{{Name: "a", DisplayName: "a", Type: "text", Default: strings.Repeat("ë", 76)}}},
		"area":    {Title: "t", Elements: []model.DialogElement{{Name: "a", DisplayName: "a", Type: "textarea", MaxLength: 3001}}},
		"type":    {Title: "t", Elements: []model.DialogElement{{Name: "a", DisplayName: "a", Type: "radio"}}},
		"twice":   {Title: "t", Elements: []model.DialogElement{{Name: "a", DisplayName: "a", Type: "text"}, {Name: "a", DisplayName: "b", Type: "text"}}},
	} {
		if checkDialog(d) == nil {
			t.Errorf("%s was taken", what)
		}
	}
	for in, want := range map[string]string{
		"Waar ging je antwoord over?": "Waar ging je antwoord…", "Een naam": "Een naam", strings.Repeat("ë", 20): strings.Repeat("ë", 10) + "…", "Wat mag ik met je tekst doen?": "Wat mag ik met je…",
	} {
		if got, _ := shorten(in, maxLabel); got != want || len(got) > maxLabel {
			t.Errorf("%q became %q", in, got)
		}
	}
}
