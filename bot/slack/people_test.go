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

// Who may answer and who may not: guests may, bots and closed accounts are not heard, and who is not one of the channel or of the
// workspace is refused kindly.
func TestWhoMayAnswer(t *testing.T) {
	for transport, overHTTP := range transports() {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, prompts.Dutch, overHTTP)
			defer w.end()
			w.switchOn()
			r := w.opens()
			say := spoken(w.lang)
			ask, form := locale.Say(w.lang, "reply.share-quote"), locale.Say(w.lang, "reply.field-text")
			join := func(u slacktest.User) string { id := w.s.AddUser(u); w.s.Join(w.crew, id); return id }
			for name, u := range map[string]slacktest.User{
				"gast": {Guest: true, Locale: "nl-NL"}, "eenkanaalsgast": {SingleGuest: true, Locale: "nl-NL"}, "nergens": {Locale: "nl-NL"},
			} {
				u.Name = name
				who := join(u)
				w.s.Settle()
				w.s.Press(who, w.prompt(say.answer), say.answer)
				w.modal(who, form)
				if got := w.says(who, "Mijn antwoord"); !strings.Contains(got.Seen(), ask) {
					t.Errorf("%s: %s", name, got.Seen())
				}
			}
			silent := join(slacktest.User{Name: "taalloos"}) // neither language nor zone
			w.s.Settle()
			if got := w.says(silent, "help"); got.Seen() == "" {
				t.Error("no language, no answer")
			}
			stranger := join(slacktest.User{Name: "vreemd", Stranger: true, Locale: "nl-NL"})
			w.s.Settle()
			w.s.Press(stranger, w.prompt(say.answer), say.answer)
			w.modal(stranger, "werkruimte")
			if c := w.s.Command(stranger, w.crew, "/weerklank"); c.Response == nil || !strings.Contains(c.Response.Seen(), locale.Say(prompts.Dutch, "slack.not-you")) {
				t.Errorf("a stranger's command: %+v", c)
			}
			w.s.TypeDirect(stranger, "Ik hoor hier niet")
			robot := join(slacktest.User{Name: "robot", Bot: true})
			closed := join(slacktest.User{Name: "gesloten", Locale: "nl-NL"})
			w.s.ChangeUser(closed, func(u *slacktest.User) { u.Deleted = true })
			for _, who := range []string{robot, closed, "USLACKBOT", "U0NOBODY"} {
				dm := "D0" + who
				w.s.Emit("", map[string]any{"type": "message", "channel": dm, "channel_type": "im", "user": who, "text": "Mijn antwoord", "ts": "1700000000.000100"})
			}
			w.s.Settle()
			gone := w.people[4]
			w.s.Leave(w.crew, gone)
			w.s.Settle()
			w.s.Press(gone, w.prompt(say.answer), say.answer)
			w.modal(gone, locale.Say(w.lang, "reply.not-in-channel"))
			if got := w.says(gone, "Mijn antwoord"); strings.Contains(got.Seen(), ask) {
				t.Errorf("who left: %s", got.Seen())
			}
			if n := len(slacktest.FromBot(w.s.DM(stranger))); n > 0 {
				t.Errorf("a stranger got %d answers", n)
			}
			if box, err := w.db.Box(context.Background(), r.ID); err != nil || len(box) > 0 {
				t.Errorf("%d ballots: %v", len(box), err)
			}
		})
	}
}

// In an organisation with several workspaces, IDs look different, and who belongs to another of its workspaces is no stranger.
func TestOrganisation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, prompts.Dutch, false, func(w *world) {
		w.s = slacktest.Start(t, slacktest.Options{Scopes: scopes(), Enterprise: "E0ORGANISATIE"})
		w.people = nil
		for _, id := range []string{"W0EEN", "W0TWEE", "W0DRIE", "W0VIER", "W0VIJF", "U0ZES"} {
			w.people = append(w.people, w.s.AddUser(slacktest.User{ID: id, Name: strings.ToLower(id), Locale: "nl-NL", TZ: "Europe/Amsterdam"}))
		}
		w.boss = w.s.AddUser(slacktest.User{ID: "W0BAAS", Name: "irma", Locale: "nl-NL", TZ: "Europe/Amsterdam", Owner: true})
		w.crew = w.s.AddChannel(slacktest.Channel{Name: "buitendienst", Members: append([]string{w.s.Bot(), w.boss}, w.people...)})
	})
	defer w.end()
	w.switchOn()
	w.opens()
	w.says(w.people[0], "Mijn antwoord")
	if got := w.says(w.people[0], "2"); !strings.Contains(got.Seen(), "Bewaard") {
		t.Errorf("%s", got.Seen())
	}
	if got := w.fills(w.people[1], "Het mijne", locale.Say(w.lang, "reply.share-quote")); !strings.Contains(got, "Bewaard") {
		t.Errorf("%s", got)
	}
}

// Channels that are shared, archived, left or deleted while nobody is there, or that come back.
func TestChannelsThatEnd(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*world)
		down bool // while the program is down
	}{
		"archived": {do: func(w *world) { w.s.Archive(w.crew) }},
		"deleted":  {do: func(w *world) { w.s.DeleteChannel(w.crew) }},
		"removed":  {do: func(w *world) { w.s.Leave(w.crew, w.s.Bot()) }},
		"shared":   {do: func(w *world) { w.s.Share(w.crew) }},
		"shared, not known": {do: func(w *world) {
			w.s.Fail(-1, "conversations.info", "", slacktest.Broken(500, false))
			w.s.Share(w.crew)
		}},
		"shared, down": {do: func(w *world) { w.s.Share(w.crew); w.s.Advance(10 * time.Minute) }, down: true},
		"removed, found": {do: func(w *world) {
			w.s.Hold() // nobody tells
			w.s.Leave(w.crew, w.s.Bot())
			w.opensNowhere()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, prompts.Dutch, false, func(w *world) { w.tempo.Again = 20 * time.Millisecond })
			w.switchOn()
			w.until(time.Now().Add(time.Second))
			if c.down {
				w.stop()
				c.do(w)
				w.start()
			} else {
				c.do(w)
			}
			defer w.end()
			w.s.Await("the end", func() bool { w.until(time.Now()); return w.team().State == bot.TeamGone })
			had := len(w.s.Channel(w.crew))
			if name == "archived" {
				w.s.Unarchive(w.crew)
				w.s.Settle()
			}
			w.until(time.Now().Add(30 * 24 * time.Hour))
			if w.team().State != bot.TeamGone || len(w.s.Channel(w.crew)) != had {
				t.Errorf("it goes on: %s, %d messages more", w.team().State, len(w.s.Channel(w.crew))-had)
			}
		})
	}
}

// opensNowhere lets a round open that cannot be posted.
func (w *world) opensNowhere() {
	w.t.Helper()
	now := time.Now()
	err := w.db.UpdateTeam(context.Background(), w.id(), func(t *bot.Team) (bot.Also, error) {
		t.NextDue, t.NextOpens = now, now
		return bot.Also{}, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.until(now.Add(time.Millisecond))
}

// What comes in another order than it was done, and what looks like something that it is not.
func TestOutOfOrder(t *testing.T) {
	for transport, overHTTP := range transports() {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, prompts.Dutch, overHTTP)
			defer w.end()
			w.switchOn()
			r := w.opens()
			// A deletion that comes before its message.
			a := w.people[0]
			w.s.Hold()
			ts := w.s.TypeDirect(a, "Toch niet")
			w.s.Delete(w.s.Direct(a), ts)
			w.s.Reorder()
			w.s.Settle()
			if got := w.says(a, "2"); strings.Contains(got.Seen(), "Bewaard") {
				t.Errorf("what was deleted is kept: %s", got.Seen())
			}
			// An edit that comes before its message: the last words count.
			b := w.people[1]
			w.s.Hold()
			ts = w.s.TypeDirect(b, "Eerste woorden")
			w.s.Edit(w.s.Direct(b), ts, "Tweede woorden")
			w.s.Edit(w.s.Direct(b), ts, "Derde woorden")
			w.s.Reorder()
			w.s.Settle()
			w.says(b, "2")
			// A preview of a link is no edit, neither before nor after one.
			c := w.people[2]
			w.says(c, "Zie https://example.org/")
			ts = w.s.DM(c)[0].TS
			had := len(w.s.DM(c))
			w.s.Unfurl(w.s.Direct(c), ts)
			w.s.Settle()
			w.says(c, "2")
			if n := len(w.s.DM(c)); n != had+2 {
				t.Errorf("a preview is answered: %d messages, then %d", had, n)
			}
			w.s.Edit(w.s.Direct(c), ts, "Zie https://example.org/ nu")
			w.answer(c, had+2)
			had = len(w.s.DM(c))
			w.s.Unfurl(w.s.Direct(c), ts)
			w.s.Settle()
			w.says(c, "status")
			if n := len(w.s.DM(c)); n != had+2 {
				t.Errorf("a preview after an edit is answered: %d messages, then %d", had, n)
			}
			// In a thread it is answered in that thread; what is deleted there with replies below it is withdrawn.
			d := w.people[3]
			w.says(d, "Bovenaan")
			root := w.s.DM(d)[0].TS
			had = len(w.s.DM(d))
			w.s.ThreadReply(d, w.s.Direct(d), root, "2")
			if got := w.answer(d, had+1); got.Thread != root || !strings.Contains(got.Seen(), "Bewaard") {
				t.Errorf("in a thread: %+v %s", got.Thread, got.Seen())
			}
			had = len(w.s.DM(d))
			w.s.Delete(w.s.Direct(d), root)
			if got := w.answer(d, had); !strings.Contains(got.Seen(), "Ingetrokken") && !strings.Contains(got.Seen(), "weg") {
				t.Errorf("deleted with replies below it: %+v", got)
			}
			// "/me" is typed too.
			e := w.people[4]
			w.s.Emit("", map[string]any{
				"type": "message", "subtype": "me_message", "channel": w.s.Direct(e), "channel_type": "im", "user": e, "text": "kijkt eerst",
				"ts": fmt.Sprintf("%d.000100", time.Now().Unix()),
			})
			w.s.Settle()
			box, err := w.db.Box(context.Background(), r.ID)
			if err != nil || len(box) != 2 {
				t.Errorf("%d ballots: %v", len(box), err)
			}
		})
	}
}

// A whole round with marks on the accounts and the texts: neither is in the log, in what other apps read, or in what comes back with
// a press or a form.
func TestNothingLeaks(t *testing.T) {
	for transport, overHTTP := range transports() {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			const secret = "Zeldzaamwoord"
			w := newWorld(t, prompts.Dutch, overHTTP, func(w *world) {
				w.people = nil
				for _, name := range []string{"AA", "BB", "CC", "DD", "EE", "FF", "GG"} {
					w.people = append(w.people, w.s.AddUser(slacktest.User{ID: "U0MERK" + name + "TEKEN", Name: "naam" + name, RealName: "Voornaam" + name, Locale: "nl-NL"}))
				}
				w.crew = w.s.AddChannel(slacktest.Channel{Name: "buitendienst", Members: append([]string{w.s.Bot(), w.boss}, w.people...)})
			})
			defer w.end()
			w.switchOn()
			r := w.opens()
			quote := locale.Say(w.lang, "reply.share-count")
			for i, who := range w.people {
				w.s.OpenHome(who, "home")
				if i < 4 {
					w.fills(who, secret+" in het formulier", quote)
					continue
				}
				w.says(who, secret+" getypt")
				w.says(who, "1")
				w.says(who, "trek in")
			}
			w.s.Settle()
			w.s.Await("the pages", func() bool { return w.s.Home(w.people[0]) != nil && w.s.Home(w.people[6]) != nil })
			if w.s.Home(w.people[0]).Seen() != w.s.Home(w.people[6]).Seen() {
				t.Error("the pages of who answered and who did not differ")
			}
			w.until(r.Closes)
			w.until(r.GivesBack)
			for _, word := range append([]string{secret, "MERK", "naamAA", "VoornaamBB", w.boss, w.s.BotToken(), w.s.AppToken(), w.s.SigningSecret(), "hooks.slack"}, w.people...) {
				if strings.Contains(w.log.String(), word) {
					t.Errorf("the log holds %q", word)
				}
			}
			needs := func(e slacktest.Entry) bool { return e.Name == "users.info" || e.Name == "views.publish" }
			for _, who := range w.people {
				for _, e := range w.s.Leaks(who, needs) {
					t.Errorf("an account is in %s: %s", e.Name, e.Body)
				}
			}
			for _, e := range w.s.Leaks(secret, nil) {
				if e.Name != "view_submission" && e.Name != "views.update" && e.Name != "block_actions" && (e.Name != "chat.postMessage" || e.Channel == w.crew) {
					t.Errorf("a text is in %s", e.Name)
				}
			}
			for _, m := range w.s.AllShown() {
				if strings.Contains(m.JSON, `"metadata"`) && m.Channel == w.crew {
					t.Errorf("metadata in the channel: %s", m.JSON)
				}
			}
		})
	}
}
