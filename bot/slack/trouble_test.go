package slack_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/bot/slack"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
	"github.com/weerklank/weerklank/prompts"
)

// long says whether there is time for every case by every transport.
func long() bool { return os.Getenv("WEERKLANK_LONG") != "" }

// prompts counts the questions in the channel.
func (w *world) prompts() (n int) {
	for _, m := range w.s.Channel(w.crew) {
		if m.Bot && slacktest.Find(m, spoken(w.lang).answer) != nil {
			n++
		}
	}
	return n
}

// A question of which it is unknown whether it stands in the channel: who switched the bot on is asked, once. What they say, or
// that somebody presses its button, settles it, and nothing is said twice unasked.
func TestUncertainQuestion(t *testing.T) {
	there, notThere := locale.Say(prompts.Dutch, "team.uncertain-there"), locale.Say(prompts.Dutch, "team.uncertain-not")
	for name, c := range map[string]struct {
		fault  slacktest.Fault
		asked  bool // the private message with the question arrives
		settle func(*world)
		stands int
	}{
		"it is there": {fault: slacktest.DoneCut(), asked: true, stands: 1, settle: func(w *world) { w.settles(there) }},
		"it is not":   {fault: slacktest.LostCut(), asked: true, stands: 1, settle: func(w *world) { w.settles(notThere) }},
		"typed":       {fault: slacktest.DoneHalf(), asked: true, stands: 1, settle: func(w *world) { w.says(w.boss, "staat er") }},
		"typed not":   {fault: slacktest.Broken(500, false), asked: true, stands: 1, settle: func(w *world) { w.says(w.boss, "staat er niet") }},
		"somebody presses it": {fault: slacktest.DoneCode("internal_error"), asked: true, stands: 1, settle: func(w *world) {
			w.s.Press(w.people[0], w.prompt(spoken(w.lang).answer), spoken(w.lang).answer)
			w.modal(w.people[0], locale.Say(w.lang, "reply.field-text"))
			w.settles(notThere) // too late to be true
		}},
		"nobody can be asked": {fault: slacktest.DoneCut(), stands: 1, settle: func(w *world) {
			status := w.s.Command(w.boss, w.crew, "/weerklank status")
			if status.Response == nil || slacktest.Find(*status.Response, there) == nil {
				w.t.Errorf("status does not ask: %+v", status.Response)
			}
			w.s.OpenHome(w.boss, "home")
			w.s.Await("the question", func() bool { h := w.s.Home(w.boss); return h != nil && slacktest.Find(h, there) != nil })
			w.s.Press(w.boss, w.s.Home(w.boss), there)
			w.modal(w.boss, locale.Say(w.lang, "team.uncertain-settled"))
		}},
	} {
		for transport, overHTTP := range transports() {
			if overHTTP && name != "somebody presses it" && !long() {
				continue
			}
			t.Run(name+" "+transport, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, prompts.Dutch, overHTTP)
				defer w.end()
				w.switchOn()
				w.until(time.Now().Add(time.Second)) // what is said when it is switched on
				faults := 1
				if !c.asked {
					faults = 2
				}
				w.s.Fail(1, "chat.postMessage", w.crew, c.fault)
				w.opens()
				w.s.Fail(faults-1, "chat.postMessage", w.s.Direct(w.boss), slacktest.LostCut())
				at := time.Now()
				for range 4 { // the program looks again and again, and does nothing
					at = at.Add(bot.SettleWindow + time.Second)
					w.until(at)
				}
				had := slacktest.FromBot(w.s.DM(w.boss))
				if c.asked && (len(had) != 1 || slacktest.Find(had[0], there) == nil || slacktest.Find(had[0], notThere) == nil) || !c.asked && len(had) != 0 {
					t.Fatalf("%d private messages: %+v", len(had), had)
				}
				c.settle(w)
				for range 3 {
					at = at.Add(15 * time.Minute)
					w.until(at)
				}
				if n := w.prompts(); n != c.stands {
					t.Errorf("it stands there %d times, not %d", n, c.stands)
				}
				if status := w.s.Command(w.boss, w.crew, "/weerklank status"); status.Response == nil || slacktest.Find(*status.Response, there) != nil {
					t.Errorf("it is still asked: %+v", status.Response)
				}
				for _, p := range w.people {
					if len(w.s.DM(p)) > 0 {
						t.Error("somebody else was asked")
					}
				}
			})
		}
	}
}

// settles presses a button of the question to the manager.
func (w *world) settles(label string) {
	w.t.Helper()
	all := slacktest.FromBot(w.s.DM(w.boss))
	had := len(w.s.DM(w.boss))
	if r := w.s.Press(w.boss, all[0], label); r.Err != "" {
		w.t.Errorf("%+v", r)
	}
	if got := w.answer(w.boss, had); !strings.Contains(got.Seen(), locale.Say(w.lang, "team.uncertain-settled")) {
		w.t.Errorf("%s", got.Seen())
	}
}

// Everything that Slack sends again, at once, after a minute, and after five minutes to a program that was started anew: it has one
// effect and one answer.
func TestSentAgain(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*world) (undo func())
		act    func(*world)
		check  func(*world)
	}{
		"typed": {
			act:   func(w *world) { w.s.TypeDirect(w.people[0], "Mijn antwoord") },
			check: func(w *world) { w.answers(w.people[0], 1) },
		},
		"changed": {
			before: func(w *world) func() { w.says(w.people[0], "Mijn antwoord"); w.says(w.people[0], "2"); return nil },
			act: func(w *world) {
				w.s.Edit(w.s.Direct(w.people[0]), w.s.DM(w.people[0])[0].TS, "Mijn beter antwoord")
			},
			check: func(w *world) { w.answers(w.people[0], 3) },
		},
		"deleted": {
			before: func(w *world) func() { w.says(w.people[0], "Mijn antwoord"); w.says(w.people[0], "2"); return nil },
			act:    func(w *world) { w.s.Delete(w.s.Direct(w.people[0]), w.s.DM(w.people[0])[0].TS) },
			check:  func(w *world) { w.answers(w.people[0], 3) },
		},
		"help": {
			act:   func(w *world) { w.s.TypeDirect(w.people[0], "help") },
			check: func(w *world) { w.answers(w.people[0], 1) },
		},
		"joined": {
			act: func(w *world) {
				w.crew = w.s.AddChannel(slacktestChannel("nieuw", w.boss))
				w.s.Join(w.crew, w.s.Bot())
			},
			check: func(w *world) {
				w.s.Await("the introduction", func() bool {
					w.until(time.Now().Add(time.Second))
					return len(slacktest.FromBot(w.s.Channel(w.crew))) > 0
				})
				w.until(time.Now().Add(time.Minute))
				if n := len(slacktest.FromBot(w.s.Channel(w.crew))); n != 1 {
					w.t.Errorf("introduced %d times", n)
				}
			},
		},
		"archived": {
			act:   func(w *world) { w.s.Archive(w.crew) },
			check: func(w *world) { w.s.Await("the end", func() bool { return w.team().State == bot.TeamGone }) },
		},
		"home": {
			act: func(w *world) { w.s.OpenHome(w.people[0], "home") },
			check: func(w *world) {
				w.s.Await("a page", func() bool { return w.s.Home(w.people[0]) != nil })
				if n := len(w.s.DM(w.people[0])); n > 0 {
					w.t.Errorf("the tab starts a conversation: %d", n)
				}
			},
		},
	} {
		for transport, overHTTP := range transports() {
			if overHTTP && name != "typed" && name != "deleted" && !long() {
				continue
			}
			t.Run(name+" "+transport, func(t *testing.T) {
				t.Parallel()
				var deaf atomic.Bool
				w := newWorld(t, prompts.Dutch, overHTTP, func(w *world) {
					w.strict = true // what is not acknowledged comes again
					w.front = func(h http.Handler) http.Handler {
						return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
							if !deaf.Load() {
								h.ServeHTTP(rw, r)
								return
							}
							h.ServeHTTP(httptest.NewRecorder(), r) // the answer is lost
							http.Error(rw, "", http.StatusBadGateway)
						})
					}
				})
				defer w.end()
				w.switchOn()
				w.opens()
				w.until(time.Now().Add(time.Second))
				if c.before != nil {
					c.before(w)
				}
				w.s.Settle()
				deaf.Store(true)
				deafened := w.s.Sockets()
				for _, k := range deafened {
					k.Deafen()
				}
				c.act(w)
				c.check(w)
				w.s.Lapse()
				w.s.Await("the second time", func() bool { return w.sentAgain(1) })
				w.s.Lapse()
				w.s.Advance(time.Minute)
				w.s.Await("the third time", func() bool { return w.sentAgain(2) })
				w.s.Lapse()
				deaf.Store(false)
				w.stop()
				for _, k := range deafened { // who hears nothing does not hear that it is closed
					k.Drop()
				}
				w.start()
				w.s.Advance(5 * time.Minute)
				w.s.Await("the fourth time", func() bool { return w.sentAgain(3) })
				w.s.Settle()
				c.check(w)
				// What is said then is heard, and nothing is said twice before that.
				w.says(w.people[3], "help")
				w.answers(w.people[3], 1)
				c.check(w)
			})
		}
	}
}

// sentAgain says whether something was sent for the nth time again.
func (w *world) sentAgain(attempt int) bool {
	for _, e := range w.s.Journal() {
		if (e.Kind == slacktest.KindEnvelope || e.Kind == slacktest.KindCallback) && e.Attempt >= attempt && e.Err == "" {
			return true
		}
	}
	return false
}

// answers waits for n messages of the bot to somebody, and holds that there are no more.
func (w *world) answers(who string, n int) {
	w.t.Helper()
	w.s.Await("the answers", func() bool { return len(slacktest.FromBot(w.s.DM(who))) >= n })
	if all := slacktest.FromBot(w.s.DM(who)); len(all) > n {
		w.t.Errorf("%d answers, not %d: %s", len(all), n, all[len(all)-1].Seen())
	}
}

// slowly lets the bot take its time over some events.
func slowly(which func(bot.Event) bool, wait time.Duration) func(*world) {
	return func(w *world) {
		w.wrap = func(h bot.Handler) bot.Handler {
			return func(ctx context.Context, e bot.Event) (bot.Response, error) {
				if which(e) {
					select {
					case <-time.After(wait):
					case <-ctx.Done():
						return bot.Response{}, ctx.Err()
					}
				}
				return h(ctx, e)
			}
		}
	}
}

// A bot that takes longer than Slack waits: a form says that it is being kept, and then what became of it; a command and a press are
// answered when it is known.
func TestLateAnswers(t *testing.T) {
	for transport, overHTTP := range transports() {
		for _, closes := range []bool{false, true} {
			if closes != overHTTP && !long() {
				continue
			}
			t.Run(transport, func(t *testing.T) {
				t.Parallel()
				var slow atomic.Bool
				w := newWorld(t, prompts.Dutch, overHTTP, func(w *world) { w.strict = true }, slowly(func(bot.Event) bool { return slow.Load() }, 3*time.Second))
				defer w.end()
				w.switchOn()
				r := w.opens()
				say, who := spoken(w.lang), w.people[0]
				w.s.Press(who, w.prompt(say.answer), say.answer)
				w.modal(who, locale.Say(w.lang, "reply.field-text"))
				slow.Store(true)
				got := w.s.SubmitModal(who, map[string]any{
					locale.Say(w.lang, "reply.field-text"): "Ik kijk eerst", locale.Say(w.lang, "reply.field-share"): locale.Say(w.lang, "reply.share-quote"),
				})
				if got.Err != "" || got.Modal == nil || !strings.Contains(got.Modal.Seen(), locale.Say(w.lang, "slack.saving")) {
					t.Errorf("sending in: %+v", got)
				}
				if closes {
					w.s.CloseAll(who)
					w.s.Await("it is kept", func() bool { return w.s.Calls("views.update") > 0 })
				} else {
					w.modal(who, say.kept)
				}
				if box, err := w.db.Box(context.Background(), r.ID); err != nil || len(box) != 1 {
					t.Errorf("%d: %v", len(box), err)
				}
				if c := w.s.Command(w.people[1], w.crew, "/weerklank help"); c.Err != "" || c.Response != nil {
					t.Errorf("a late command: %+v", c)
				}
				w.s.Await("its answer", func() bool { return len(w.s.Ephemerals(w.people[1])) == 1 })
				if p := w.s.Press(w.people[2], w.prompt(say.answer), say.answer); p.Err != "" || p.Modal == nil || !strings.Contains(p.Modal.Seen(), locale.Say(w.lang, "slack.waiting")) {
					t.Errorf("a late press: %+v", p)
				}
				if closes {
					w.s.CloseAll(w.people[2])
				} else {
					w.modal(w.people[2], locale.Say(w.lang, "reply.field-text"))
				}
				if took := w.s.SlowestAck(); took > 3*time.Second {
					t.Errorf("an acknowledgement took %s", took)
				}
				if strings.Contains(w.log.String(), "level=WARN") || strings.Contains(w.log.String(), "level=ERROR") {
					t.Error("what is nobody's fault is logged")
				}
			})
		}
	}
}

// What does not fit in an acknowledgement is shown all the same.
func TestLargeAnswers(t *testing.T) {
	for transport, overHTTP := range transports() {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			var large atomic.Bool
			w := newWorld(t, prompts.Dutch, overHTTP, func(w *world) {
				w.wrap = func(h bot.Handler) bot.Handler {
					return func(ctx context.Context, e bot.Event) (bot.Response, error) {
						r, err := h(ctx, e)
						if large.Load() {
							r = bot.Response{Message: &bot.Message{Lang: w.lang}}
							for range 9 {
								r.Message.Blocks = append(r.Message.Blocks, bot.Text(bot.Span{Text: strings.Repeat("€uro ", 250)}))
							}
						}
						return r, err
					}
				}
			})
			defer w.end()
			w.switchOn()
			w.opens()
			say, who := spoken(w.lang), w.people[0]
			w.s.Press(who, w.prompt(say.answer), say.answer)
			w.modal(who, locale.Say(w.lang, "reply.field-text"))
			large.Store(true)
			r := w.s.SubmitModal(who, map[string]any{locale.Say(w.lang, "reply.field-text"): "x", locale.Say(w.lang, "reply.field-share"): locale.Say(w.lang, "reply.share-quote")})
			if r.Err != "" {
				t.Errorf("%+v", r)
			}
			w.modal(who, "€uro")
			for i, channel := range []string{w.crew, w.s.Direct(w.people[1])} {
				if c := w.s.Command(w.people[1], channel, "/weerklank help"); c.Err != "" {
					t.Errorf("%+v", c)
				}
				w.s.Await("the answer", func() bool { return len(w.s.Ephemerals(w.people[1])) == i+1 })
			}
		})
	}
}

// A view that cannot be opened: who pressed is told what to do, or sees what there is to see.
func TestViewsThatDoNotOpen(t *testing.T) {
	for name, c := range map[string]struct {
		fault  *slacktest.Fault
		life   bool // of the trigger
		opened bool
	}{
		"too late":          {life: true},
		"used":              {fault: &slacktest.Fault{Lost: true, Code: "exchanged_trigger_id"}},
		"refused":           {fault: &slacktest.Fault{Lost: true, Code: "view_too_large"}},
		"lost":              {fault: &slacktest.Fault{Lost: true, Cut: true}},
		"a limit":           {fault: &slacktest.Fault{Lost: true, Status: 429, Header: map[string]string{"Retry-After": "30"}}},
		"an answer cut off": {fault: &slacktest.Fault{Cut: true}, opened: true},
		"an error after":    {fault: &slacktest.Fault{Code: "internal_error"}, opened: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, prompts.Dutch, false)
			defer w.end()
			w.switchOn()
			w.opens()
			say := spoken(w.lang)
			warm := name != "lost" && name != "an error after"
			if warm { // else it is not known yet who is where
				w.fills(w.people[7], "x", locale.Say(w.lang, "reply.share-count"))
			}
			who := w.people[0]
			if c.life {
				w.s.Set(func(s *slacktest.Settings) { s.TriggerLife = 0 })
			}
			if c.fault != nil {
				w.s.Fail(1, "views.open", "", *c.fault)
			}
			if r := w.s.Press(who, w.prompt(say.answer), say.answer); r.Err != "" {
				t.Errorf("%+v", r)
			}
			if c.opened {
				w.modal(who, locale.Say(w.lang, "reply.field-text"))
				if n := len(w.s.Ephemerals(who)); n > 0 {
					t.Error("who sees the form is told that it did not open")
				}
				return
			}
			w.s.Await("what to do", func() bool {
				all := w.s.Ephemerals(who)
				return len(all) == 1 && strings.Contains(all[0].Seen(), locale.Say(w.lang, "slack.no-form"))
			})
			if w.s.Modal(who) != nil {
				t.Error("a view stands there")
			}
		})
	}
}

// A store that fails while a form is sent in: what was written is not lost.
func TestFormThatIsNotKept(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			var broken atomic.Bool
			w := newWorld(t, prompts.Dutch, false, func(w *world) {
				w.strict = true
				w.wrap = func(h bot.Handler) bot.Handler {
					return func(ctx context.Context, e bot.Event) (bot.Response, error) {
						if broken.Load() {
							if late {
								<-time.After(3 * time.Second)
							}
							return bot.Response{Message: &bot.Message{Lang: w.lang, Blocks: []bot.Block{bot.Text(bot.Span{Text: "mis"})}}}, errors.New("the store is away")
						}
						return h(ctx, e)
					}
				}
			})
			defer w.end()
			w.switchOn()
			w.opens()
			say, who := spoken(w.lang), w.people[0]
			w.s.Press(who, w.prompt(say.answer), say.answer)
			w.modal(who, locale.Say(w.lang, "reply.field-text"))
			broken.Store(true)
			values := map[string]any{locale.Say(w.lang, "reply.field-text"): "Met veel moeite geschreven", locale.Say(w.lang, "reply.field-share"): locale.Say(w.lang, "reply.share-count")}
			r := w.s.SubmitModal(who, values)
			if late {
				w.modal(who, locale.Say(w.lang, "slack.later"))
				if v := w.s.Modal(who); !strings.Contains(v.Seen(), "Met veel moeite geschreven") {
					t.Errorf("what was written is gone: %s", v.Seen())
				}
				return
			}
			if r.Closed || r.Errors[locale.Say(w.lang, "reply.field-text")] != locale.Say(w.lang, "slack.later") {
				t.Errorf("%+v", r)
			}
			broken.Store(false)
			if r := w.s.SubmitModal(who, nil); r.Err != "" || !strings.Contains(r.Modal.Seen(), say.kept) {
				t.Errorf("once more: %+v", r)
			}
		})
	}
}

// An app that is removed, and a token that is revoked: the platform stops and says why, and goes on when the token is taken again.
func TestLockedOut(t *testing.T) {
	for name, c := range map[string]struct {
		out  func(*world)
		says string
	}{
		"uninstalled": {func(w *world) { w.s.Uninstall() }, "install the app again"},
		"revoked":     {func(w *world) { w.s.Revoke() }, "copy the token again"},
		"silently":    {func(w *world) { w.s.RevokeToken(false, "token_expired"); w.s.TypeDirect(w.people[0], "help") }, "token_expired"},
	} {
		for transport, overHTTP := range transports() {
			t.Run(name+" "+transport, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, prompts.Dutch, overHTTP, func(w *world) { w.tempo = slack.Tempo{SignIn: 50 * time.Millisecond, Again: 50 * time.Millisecond} })
				defer w.end()
				w.switchOn()
				w.opens()
				w.says(w.people[1], "Mijn antwoord")
				w.s.RevokeOther(w.people[2]) // of another account: nothing of ours
				w.s.Settle()
				if err := w.chat.Health(); err != nil {
					t.Fatal(err)
				}
				c.out(w)
				w.s.Await("a clear word", func() bool {
					err := w.chat.Health()
					return errors.Is(err, bot.ErrUnauthorised) && strings.Contains(err.Error(), c.says) && !strings.Contains(err.Error(), w.s.BotToken())
				})
				w.s.RevokeToken(false, "")
				w.s.Await("it goes on", func() bool { return w.chat.Health() == nil && (overHTTP || len(w.s.Sockets()) > 0) })
				if got := w.says(w.people[1], "2"); !strings.Contains(got.Seen(), "Bewaard") {
					t.Errorf("afterwards: %s", got.Seen())
				}
				if w.team().State != bot.TeamOn {
					t.Errorf("%+v", w.team())
				}
			})
		}
	}
}
