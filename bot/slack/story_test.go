package slack_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
	"github.com/weerklank/weerklank/prompts"
)

// words are what people type and read in a language.
type words struct {
	on, answer, kept, typedShare, withdraw, withdrawn, heard, closed string
}

func spoken(lang prompts.Lang) words {
	say := words{answer: locale.Say(lang, "round.answer"), typedShare: "2", withdraw: locale.Say(lang, "reply.withdraw-word")}
	if lang == prompts.English {
		say.on, say.kept, say.withdrawn, say.heard, say.closed = "on", "Kept", "Withdrawn", "Looking back", "This round is closed"
		return say
	}
	say.on, say.kept, say.withdrawn, say.heard, say.closed = "aan", "Bewaard", "Ingetrokken", "Terugblik", "Deze ronde is dicht"
	return say
}

// switchOn switches the crew on with the modal of the command.
func (w *world) switchOn() {
	w.t.Helper()
	say := spoken(w.lang)
	if r := w.s.Command(w.boss, w.crew, "/weerklank "+say.on); r.Err != "" || r.Response != nil && r.Response.Text != "" {
		w.t.Fatalf("the command: %+v", r)
	}
	t := func(key string) string { return locale.Say(w.lang, key) }
	w.modal(w.boss, t("team.form-on"))
	r := w.s.SubmitModal(w.boss, map[string]any{t("team.field-adviser"): "Noor (tst 12)", t("team.field-worktime"): t("slack.tick")})
	if len(r.Errors)+len(r.Refused) > 0 || r.Err != "" {
		w.t.Fatalf("switching on: %+v", r)
	}
	isOn, _, _ := strings.Cut(t("team.on-private"), ".")
	w.modal(w.boss, isOn)
	if got := w.team(); got.State != bot.TeamOn || got.Settings.Zone != "Europe/Amsterdam" || got.Settings.Lang != w.lang || got.Name != "buitendienst" {
		w.t.Fatalf("%+v", got)
	}
}

// fills answers with the modal of the button.
func (w *world) fills(who, text, share string) string {
	w.t.Helper()
	say := spoken(w.lang)
	if r := w.s.Press(who, w.prompt(say.answer), say.answer); r.Err != "" {
		w.t.Fatalf("the button: %+v", r)
	}
	t := func(key string) string { return locale.Say(w.lang, key) }
	w.modal(who, t("reply.field-text"))
	values := map[string]any{t("reply.field-text"): text}
	if share != "" {
		values[t("reply.field-share")] = share
	}
	if r := w.s.SubmitModal(who, values); r.Err != "" || len(r.Refused) > 0 {
		w.t.Fatalf("sending in: %+v", r)
	}
	v := w.s.Modal(who)
	if v == nil {
		return ""
	}
	return v.Seen()
}

// A whole round, by modals and by typing, over both transports and in both languages: switching on, asking, answering, changing,
// withdrawing, closing and giving back.
func TestRound(t *testing.T) {
	for _, lang := range prompts.Langs() {
		for name, overHTTP := range transports() {
			t.Run(string(lang)+" "+name, func(t *testing.T) { t.Parallel(); round(t, lang, overHTTP) })
		}
	}
}

func round(t *testing.T, lang prompts.Lang, overHTTP bool) {
	say, ctx := spoken(lang), context.Background()
	w := newWorld(t, lang, overHTTP)
	defer w.end()
	// Who does not manage the channel is told so, and nobody else sees it.
	if r := w.s.Command(w.people[0], w.crew, "/weerklank "+say.on); r.Response == nil || !strings.Contains(r.Response.Seen(), locale.Say(lang, "team.managers-only")) {
		t.Errorf("not a manager: %+v", r)
	}
	w.switchOn()
	round := w.opens()
	prompt := w.prompt(say.answer)
	if !strings.Contains(prompt.Text, round.Prompt.In(lang).Title) || !strings.Contains(prompt.Text, strings.Fields(round.Prompt.In(lang).Question)[0]) {
		t.Errorf("notifications do not hold the question: %s", prompt.Text)
	}
	shareLabel := func() string {
		w.s.Press(w.people[0], prompt, say.answer)
		v := w.modal(w.people[0], locale.Say(lang, "reply.field-text"))
		for _, c := range controlsOf(v) {
			if c.Label == locale.Say(lang, "reply.field-share") {
				if len(c.Options) != 3 {
					t.Fatalf("%+v", c)
				}
				return c.Options[1].Text
			}
		}
		t.Fatalf("no share choice in\n%s", v.Seen())
		return ""
	}
	quote := shareLabel()
	missing := w.s.SubmitModal(w.people[0], map[string]any{locale.Say(lang, "reply.field-text"): "Zonder keuze"})
	if missing.Closed || missing.Errors[locale.Say(lang, "reply.field-share")] != locale.Say(lang, "reply.share-missing") {
		t.Errorf("a form without a choice: %+v", missing)
	}
	w.s.CloseAll(w.people[0])
	for i := range 3 {
		if got := w.fills(w.people[i], "Ik kijk eerst wie er staat. Nummer "+string(rune('A'+i)), quote); !strings.Contains(got, say.kept) {
			t.Errorf("kept: %s", got)
		}
		w.s.CloseAll(w.people[i])
	}
	for i := 3; i < 7; i++ {
		asked := w.says(w.people[i], "Soms is de regel te krap. Nummer "+string(rune('A'+i)))
		if i%2 == 0 {
			if got := w.says(w.people[i], say.typedShare); !strings.Contains(got.Seen(), say.kept) {
				t.Errorf("typed: %s", got.Seen())
			}
			continue
		}
		had := len(w.s.DM(w.people[i]))
		label := locale.Say(lang, "reply.share-quote")
		if r := w.s.Press(w.people[i], asked, label); r.Err != "" {
			t.Fatalf("pressing %s: %+v\n%s", label, r, asked.Seen())
		}
		if got := w.answer(w.people[i], had); !strings.Contains(got.Seen(), say.kept) {
			t.Errorf("pressed: %s", got.Seen())
		}
	}
	// An edit counts, and so does a withdrawal.
	var typedTS string
	for _, m := range w.s.DM(w.people[3]) {
		if !m.Bot && strings.Contains(m.Text, "Nummer D") {
			typedTS = m.TS
		}
	}
	had := len(w.s.DM(w.people[3]))
	w.s.Edit(w.s.Direct(w.people[3]), typedTS, "Gewijzigd woord voor woord")
	w.answer(w.people[3], had)
	if got := w.says(w.people[6], say.withdraw); !strings.Contains(got.Seen(), say.withdrawn) {
		t.Errorf("withdrawing: %s", got.Seen())
	}
	round, err := w.db.Round(ctx, round.ID)
	if err != nil {
		t.Fatal(err)
	}
	w.until(round.Closes)
	w.until(round.GivesBack)
	w.until(round.GivesBack)
	if round, _ = w.db.Round(ctx, round.ID); round.State != bot.RoundGivenBack {
		t.Errorf("the round is %s", round.State)
	}
	all := w.channel()
	for what, want := range map[string]bool{
		say.heard: true, "Nummer A": true, "Nummer B": true, "Nummer C": true, "Gewijzigd": true, "Nummer E": true, "Nummer F": true, "Nummer D": false, "Nummer G": false,
	} {
		if strings.Contains(all, what) != want {
			t.Errorf("%q in the channel: %v\n%s", what, !want, all)
		}
	}
	// The question is closed in place, and its old button says so.
	for _, m := range w.s.Channel(w.crew) {
		if m.TS == prompt.TS && (!m.Edited && len(controlsOf(m)) > 0 || !strings.Contains(m.Seen(), say.closed)) {
			t.Errorf("the question after closing: %s", m.Seen())
		}
	}
	if r := w.s.Press(w.people[7], prompt, say.answer); r.Err != "" {
		t.Errorf("an old button: %+v", r)
	}
	w.modal(w.people[7], strings.TrimSuffix(say.closed, "."))
	for i, who := range w.people {
		for _, e := range w.s.Leaks(who, func(e slacktest.Entry) bool { return e.Name == "users.info" }) {
			t.Errorf("person %d is in a call of %s", i, e.Name)
		}
	}
}

// The shortcuts, the command alone and the Home tab lead to the form of the open round.
func TestWaysToTheForm(t *testing.T) {
	for name, overHTTP := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, prompts.Dutch, overHTTP)
			defer w.end()
			say := spoken(w.lang)
			if r := w.s.Command(w.people[0], w.crew, "/weerklank"); r.Response == nil || r.Modal != nil {
				t.Errorf("nothing is open: %+v", r)
			}
			w.switchOn()
			r := w.opens()
			form := locale.Say(w.lang, "reply.field-text")
			for what, act := range map[string]func(who string) string{
				"command": func(who string) string { return w.s.Command(who, w.crew, "/weerklank").Err },
				"global":  func(who string) string { return w.s.GlobalShortcut(who, "weerklank-answer").Err },
				"message": func(who string) string {
					return w.s.MessageShortcut(who, w.prompt(say.answer), "weerklank-answer").Err
				},
				"home": func(who string) string {
					w.s.OpenHome(who, "home")
					w.s.Await("a home page", func() bool { return w.s.Home(who) != nil })
					home := w.s.Home(who)
					if !strings.Contains(home.Seen(), r.Prompt.In(w.lang).Title) {
						t.Errorf("home: %s", home.Seen())
					}
					return w.s.Press(who, home, say.answer).Err
				},
			} {
				who := w.people[len(what)%len(w.people)]
				if err := act(who); err != "" {
					t.Errorf("%s: %s", what, err)
				}
				w.modal(who, form)
				w.s.CloseAll(who)
			}
			// The Home tab is the same for who answered; the other tab does nothing.
			before := w.s.Home(w.people[len("home")%len(w.people)]).Seen()
			share := "2"
			w.says(w.people[2], "Mijn antwoord")
			w.says(w.people[2], share)
			w.s.OpenHome(w.people[2], "messages")
			w.s.OpenHome(w.people[2], "home")
			w.s.Await("a home page", func() bool { return w.s.Home(w.people[2]) != nil })
			if after := w.s.Home(w.people[2]).Seen(); after != before {
				t.Errorf("the home page tells who answered:\n%s\n%s", before, after)
			}
			w.s.OpenHome(w.boss, "home")
			w.s.Await("a home page", func() bool { return w.s.Home(w.boss) != nil })
			w.s.Press(w.boss, w.s.Home(w.boss), locale.Say(w.lang, "team.form-settings"))
			w.modal(w.boss, locale.Say(w.lang, "team.field-zone"))
		})
	}
}

// The bot introduces itself when it is invited, and its button opens the form.
func TestInvited(t *testing.T) {
	w := newWorld(t, prompts.Dutch, false)
	defer w.end()
	fresh := w.s.AddChannel(slacktestChannel("nieuw", append([]string{w.boss}, w.people...)...))
	w.s.Join(fresh, w.s.Bot())
	w.s.Settle()
	t.Log(w.log.String())
	w.s.Settle()
	if _, err := w.bot.Send(context.Background(), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	all := w.s.Channel(fresh)
	last := all[len(all)-1]
	if !last.Bot || !strings.Contains(last.Seen(), "Er gebeurt nog niets") {
		t.Fatalf("%s", last.Seen())
	}
	w.s.Press(w.people[0], last, "Aanzetten")
	w.modal(w.people[0], locale.Say(w.lang, "team.managers-only"))
	w.s.Press(w.boss, last, "Aanzetten")
	w.modal(w.boss, locale.Say(w.lang, "team.field-adviser"))
	// Where people of another organisation read along it is refused, and what is shared later stops.
	w.s.CloseAll(w.boss)
	w.switchOn()
	w.s.Share(w.crew)
	w.s.Settle()
	w.s.Await("the team rests", func() bool { return w.team().State == bot.TeamGone })
	t1 := func(key string) string { return locale.Say(w.lang, key) }
	w.s.Command(w.boss, w.crew, "/weerklank aan")
	w.modal(w.boss, t1("team.field-adviser"))
	w.s.SubmitModal(w.boss, map[string]any{t1("team.field-adviser"): "Noor", t1("team.field-worktime"): t1("slack.tick")})
	w.modal(w.boss, t1("team.foreign"))
}

// What becomes of a team when its channel gets another name or ID, or is archived, or the bot is removed.
func TestChannelChanges(t *testing.T) {
	w := newWorld(t, prompts.Dutch, false)
	defer w.end()
	w.switchOn()
	r := w.opens()
	w.s.Rename(w.crew, "buitendienst-west")
	w.s.Await("the name", func() bool { return w.team().Name == "buitendienst-west" })
	w.says(w.people[1], "Mijn antwoord")
	w.says(w.people[1], "2")
	w.crew = w.s.ChangeID(w.crew)
	w.s.Await("the move", func() bool { _, err := w.db.Team(context.Background(), w.id()); return err == nil })
	if got := w.team(); got.Open != r.ID || got.State != bot.TeamOn {
		t.Errorf("%+v", got)
	}
	if got := w.says(w.people[1], "trek in"); !strings.Contains(got.Seen(), "Ingetrokken") {
		t.Errorf("after the move: %s", got.Seen())
	}
	w.s.Archive(w.crew)
	w.s.Await("the end", func() bool { return w.team().State == bot.TeamGone })
}

// Files and recordings would tell who somebody is: they are refused kindly, and what was typed with them counts.
func TestFilesAreRefused(t *testing.T) {
	w := newWorld(t, prompts.Dutch, false)
	defer w.end()
	w.switchOn()
	w.opens()
	had := len(w.s.DM(w.people[0]))
	w.s.SendFiles(w.people[0], w.s.Direct(w.people[0]), "", voice())
	if got := w.answer(w.people[0], had+1); !strings.Contains(got.Seen(), "herkennen") {
		t.Errorf("%s", got.Seen())
	}
	had = len(w.s.DM(w.people[0]))
	w.s.SendFiles(w.people[0], w.s.Direct(w.people[0]), "Met mijn woorden erbij", voice())
	got := w.answer(w.people[0], had+1).Seen()
	if !strings.Contains(got, "Alleen je tekst") || !strings.Contains(got, locale.Say(w.lang, "reply.share-quote")) {
		t.Errorf("%s", got)
	}
}

// What was typed while the program was down for longer than Slack repeats events is read afterwards, once.
func TestCatchUpAfterRestart(t *testing.T) {
	for name, overHTTP := range transports() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, prompts.Dutch, overHTTP)
			w.switchOn()
			r := w.opens()
			for i := range 6 {
				w.says(w.people[i], fmt.Sprintf("Antwoord %d", i))
				if i < 3 {
					w.says(w.people[i], "2")
				}
			}
			w.m.SetMark(context.Background(), time.Now())
			w.stop()
			w.s.TypeDirect(w.people[6], "Terwijl het uit stond")
			w.s.TypeDirect(w.people[0], "trek in")
			w.s.Advance(10 * time.Minute) // what was repeated is given up
			w.start()
			defer w.end()
			if got := w.answer(w.people[6], 1); !strings.Contains(got.Seen(), locale.Say(w.lang, "reply.share-quote")) {
				t.Errorf("%s", got.Seen())
			}
			w.s.Await("the withdrawal", func() bool {
				all := w.s.DM(w.people[0])
				return strings.Contains(all[len(all)-1].Seen(), "Ingetrokken")
			})
			had := len(w.s.DM(w.people[1]))
			w.says(w.people[1], "status")
			if n := len(w.s.DM(w.people[1])); n != had+2 { // nothing was answered twice
				t.Errorf("%d messages, then %d", had, n)
			}
			_ = r
		})
	}
}
