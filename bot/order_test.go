package bot_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// scene is what people do in one open round, each act with a moment of its own, so that it can come again or late.
type scene struct {
	*world
	t *testing.T
	r bot.Round
	T time.Time
}

func newScene(t *testing.T, more ...bot.TeamID) *scene {
	w, r := openWorld(t, 8, more...)
	t.Cleanup(w.close)
	return &scene{w, t, r, w.fake.Now()}
}

// act is something p2 does; at is in seconds.
type act func(s *scene) string

func (s *scene) do(acts ...act) (last string) {
	for _, a := range acts {
		last = a(s)
	}
	return last
}

func (s *scene) send(e bot.Event) string {
	s.t.Helper()
	r, err := s.fake.Send(context.Background(), e)
	if err != nil {
		s.t.Fatal(err)
	}
	return plain(r)
}

func (s *scene) from(at int) bot.From {
	f := s.fake.From("p2", "")
	f.At = s.T.Add(time.Duration(at) * time.Second)
	return f
}

func typed(at int, text, id string) act {
	return func(s *scene) string {
		return s.send(bot.DirectReply{From: s.from(at), Text: bot.ReplyText(text), Message: id})
	}
}

func edited(at int, text, id string) act {
	return func(s *scene) string {
		return s.send(bot.DirectReply{From: s.from(at), Text: bot.ReplyText(text), Message: id, Edited: true})
	}
}

func deleted(at int, id string) act {
	return func(s *scene) string { return s.send(bot.ReplyWithdrawn{From: s.from(at), Message: id}) }
}

func filled(at int, values map[string][]string) act {
	return func(s *scene) string {
		return s.send(bot.FormSubmitted{From: s.from(at), Form: "reply", State: string(s.r.ID), Values: values})
	}
}

func pressed(at int, do, arg string) act {
	return func(s *scene) string {
		return s.send(bot.ActionPressed{From: s.from(at), Action: bot.Action{Do: do, Round: s.r.ID, Arg: arg}})
	}
}

func sharing(text string) map[string][]string {
	return map[string][]string{"text": {text}, "share": {"share"}}
}

// rest lets six others answer, closes the round and gives it back.
func (s *scene) rest() (channel string, t *bot.Tally) {
	for _, p := range []string{"p3", "p4", "p5", "p6", "p7", "p8"} {
		s.answer(p, s.r.ID, map[string][]string{"text": {"van " + p}, "share": {"share"}})
	}
	got := s.finish(s.r)
	return s.channel(crew), got.Tally
}

func (s *scene) ballots() int {
	box, err := s.db.Box(context.Background(), s.r.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return len(box)
}

// What comes again or in another order changes nothing that was confirmed, brings nothing back, and shows nothing that
// its author did not choose to share.
func TestAnyOrder(t *testing.T) {
	for name, tc := range map[string]struct {
		acts        []act
		shown       []string
		hidden      []string
		respondents int // with the six others
	}{
		"an old withdrawal again": {
			[]act{typed(0, "een", "a"), typed(1, "2", "b"), typed(2, "trek in", "c"), typed(3, "twee", "d"), typed(4, "2", "e"), typed(2, "trek in", "c")},
			[]string{"twee"}, []string{"> een"}, 7,
		},
		"an old 'for myself' form again": {
			[]act{filled(0, map[string][]string{"text": {"x"}, "share": {"self"}}), typed(3, "twee", "d"), typed(4, "2", "e"), filled(0, map[string][]string{"text": {"x"}, "share": {"self"}})},
			[]string{"twee"}, nil, 7,
		},
		"a withdrawn form again, while something new is typed": {
			[]act{filled(0, sharing("geheim")), pressed(2, "withdraw", ""), typed(3, "iets nieuws", "d"), filled(0, sharing("geheim")), typed(5, "2", "e")},
			[]string{"iets nieuws"}, []string{"geheim"}, 7,
		},
		"a withdrawn form again, and nothing else": {
			[]act{filled(0, sharing("geheim")), pressed(2, "withdraw", ""), filled(0, sharing("geheim"))},
			nil, []string{"geheim"}, 6,
		},
		"an old share press again, for newer words": {
			[]act{typed(0, "een", "a"), pressed(1, "share", "share"), typed(2, "zonder toestemming", "b"), typed(3, "erbij", "c"), pressed(1, "share", "share")},
			[]string{"een"}, []string{"zonder toestemming"}, 7,
		},
		"a typed share choice again, for newer words": {
			[]act{typed(0, "een", "a"), typed(1, "2", "a2"), typed(2, "zonder toestemming", "b"), typed(3, "erbij", "c"), typed(1, "2", "a2")},
			[]string{"een"}, []string{"zonder toestemming"}, 7,
		},
		"an old merge press again": {
			[]act{typed(0, "een", "a"), typed(1, "2", "b"), typed(2, "twee", "c"), pressed(3, "merge", "replace"), typed(4, "2", "d"), typed(5, "drie", "e"), pressed(3, "merge", "replace")},
			[]string{"twee"}, []string{"> een", "drie"}, 7,
		},
		"a message is deleted, and its copy comes late": {
			[]act{typed(0, "weg hiermee", "a"), typed(1, "2", "b"), typed(2, "nieuw", "c"), deleted(3, "a"), typed(0, "weg hiermee", "a"), typed(5, "2", "d")},
			[]string{"nieuw"}, []string{"weg hiermee"}, 7,
		},
		"the deletion comes before its message": {
			[]act{deleted(3, "a"), typed(0, "weg hiermee", "a"), typed(4, "2", "b")},
			nil, []string{"weg hiermee"}, 6,
		},
		"a tapped answer stays when a later message goes": {
			[]act{filled(0, map[string][]string{"stance": {"not-me"}}), typed(1, "toch nog iets", "a"), deleted(2, "a")},
			nil, []string{"toch nog iets"}, 7,
		},
		"an edit acts on its own message, once": {
			[]act{typed(0, "eerst", "a"), typed(1, "2", "b"), edited(5, "beter", "a"), edited(3, "tussendoor", "a"), typed(0, "eerst", "a")},
			[]string{"> beter\n"}, []string{"eerst", "tussendoor"}, 7,
		},
		"a newer form first": {
			[]act{filled(5, sharing("nieuwste")), filled(1, sharing("ouder")), typed(3, "daartussen", "a"), typed(4, "2", "b")},
			[]string{"nieuwste"}, []string{"ouder", "daartussen"}, 7,
		},
		"a round's number again is no share choice": {
			[]act{typed(0, "een", "a"), typed(1, "2", "b"), typed(1, "2", "b"), typed(2, "3", "t"), typed(2, "3", "t"), typed(3, "en nog iets", "c"), typed(4, "erbij", "d"), typed(4, "erbij", "d"), typed(5, "2", "e")},
			[]string{"een\n> en nog iets\n"}, []string{"> 3", "> 2", "> erbij"}, 7,
		},
		"a stance is not put back": {
			[]act{typed(0, "raakt mij niet", "a"), filled(1, map[string][]string{"stance": {"counter"}}), typed(0, "raakt mij niet", "a")},
			nil, nil, 7,
		},
	} {
		t.Run("in a follow-up, "+name, func(t *testing.T) {
			if strings.Contains(name, "stance") || strings.Contains(name, "tapped") || strings.Contains(name, "number") { // it takes words only
				return
			}
			s := newScene(t)
			s.six(s.r)
			s.finish(s.r)
			s.r, s.T = s.followUp(), s.fake.Now()
			s.do(tc.acts...)
			if n := s.ballots() + 6; n != tc.respondents {
				t.Errorf("%d respondents, want %d", n, tc.respondents)
			}
			channel, _ := s.rest()
			for _, text := range tc.shown {
				if !strings.Contains(channel, text) {
					t.Errorf("%q was confirmed, and is not shown", text)
				}
			}
			for _, text := range tc.hidden {
				if strings.Contains(channel, text) {
					t.Errorf("%q is shown", text)
				}
			}
		})
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			for _, a := range tc.acts {
				if s.do(a) == "" && len(tc.shown) > 0 {
					t.Log("an act without an answer") // a deletion that was never seen
				}
			}
			channel, tally := s.rest()
			if tally.Respondents != tc.respondents {
				t.Errorf("%d respondents, want %d", tally.Respondents, tc.respondents)
			}
			for _, text := range tc.shown {
				if !strings.Contains(channel, text) {
					t.Errorf("%q was confirmed, and is not shown", text)
				}
			}
			for _, text := range tc.hidden {
				if strings.Contains(channel, text) {
					t.Errorf("%q is shown", text)
				}
			}
			if name == "a stance is not put back" && (tally.Stances[bot.StanceCounter] != 1 || tally.Stances[bot.StanceNotMe] != 0) {
				t.Errorf("%v", tally.Stances)
			}
		})
	}
}

// A withdrawal that arrives after newer words takes the tap and the tags along with the words it takes back, and leaves
// those that are newer.
func TestLateWithdrawal(t *testing.T) {
	form := map[string][]string{"text": {"geheim"}, "share": {"share"}, "stance": {"counter"}, "tags": {"quality-speed", "other"}, "other": {"het rooster"}}
	back := pressed(10, "withdraw", "")
	newer := []act{typed(20, "nieuw", "a"), typed(21, "erbij", "b"), typed(22, "2", "c")}
	for name, tc := range map[string]struct {
		acts   []act
		stance bot.Stance
		tag    string
	}{
		"what came with the form goes":           {append([]act{filled(0, form)}, append(newer[:3:3], back)...), "", ""},
		"also while it waits for a choice":       {append([]act{filled(0, form)}, append(newer[:2:2], back, newer[2])...), "", ""},
		"a newer tap stays":                      {append([]act{filled(0, form)}, append(newer[:3:3], pressed(23, "tag", "unknown"), typed(24, "raakt mij niet", "d"), back)...), bot.StanceNotMe, "unknown"},
		"newer tags stay":                        {append([]act{filled(0, sharing("geheim"))}, append(newer[:3:3], pressed(23, "tag", "policy-practice"), back)...), "", "policy-practice"},
		"tags that were added to old ones go":    {append([]act{filled(0, form)}, append(newer[:3:3], pressed(23, "tag", "policy-practice"), back)...), "", ""},
		"what was typed after it, in order":      {append([]act{filled(0, form), back}, newer...), "", ""},
		"a tap between, and a withdrawal after":  {append([]act{typed(0, "raakt mij niet", "s")}, append(newer[:3:3], back)...), "", ""},
		"a reply that began after it is left be": {append(append([]act{}, typed(20, "nieuw", "a"), typed(22, "2", "c"), pressed(23, "tag", "policy-practice")), typed(24, "raakt mij niet", "d"), back), bot.StanceNotMe, "policy-practice"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.do(tc.acts...)
			channel, tally := s.rest()
			if tally.Respondents != 7 || !strings.Contains(channel, "nieuw") || strings.Contains(channel, "geheim") {
				t.Errorf("%d respondents\n%s", tally.Respondents, channel)
			}
			stances, tags := map[bot.Stance]int{}, 0
			if tc.stance != "" {
				stances[tc.stance] = 1
			}
			for _, n := range tally.Tags {
				tags += n
			}
			if len(tally.Stances) != len(stances) || tc.stance != "" && tally.Stances[tc.stance] != 1 {
				t.Errorf("stances %v, want %v", tally.Stances, stances)
			}
			switch {
			case tc.tag == "unknown":
				if tally.Unknown != 1 || tags+tally.Other != 0 {
					t.Errorf("%+v", tally)
				}
			case tc.tag != "":
				if tally.Tags[prompts.TensionID(tc.tag)] != 1 || tags != 1 || tally.Other != 0 {
					t.Errorf("%+v", tally)
				}
			case tags+tally.Other+tally.Unknown != 0:
				t.Errorf("%+v", tally)
			}
		})
	}
}

// A refused form says so: "kept", with a code, only for what lies there.
func TestLateFormSaysSo(t *testing.T) {
	s := newScene(t)
	first := s.do(filled(1, sharing("een")))
	if again := s.do(filled(1, sharing("een"))); again != first || !strings.Contains(again, "met deze code") {
		t.Errorf("a redelivery: %q", again)
	}
	s.do(pressed(2, "withdraw", ""))
	if got := s.do(filled(1, sharing("een"))); !strings.Contains(got, "of je trok dit in") {
		t.Errorf("after the withdrawal: %q", got)
	}
}

// A typed change keeps the form's code, tags and stance (DESIGN 11).
func TestTypedChangeKeepsCode(t *testing.T) {
	s := newScene(t)
	values := sharing("formulier")
	values["tags"] = []string{"quality-speed"}
	out := s.do(filled(0, values))
	_, after, _ := strings.Cut(out, "deze code: ")
	code := after[:19]
	s.do(typed(1, "b", "b"), typed(2, "erbij", "b2"), typed(3, "c", "c"), typed(4, "raakt mij niet", "c2"), typed(5, "2", "d"))
	channel, tally := s.rest()
	if !strings.Contains(channel, "formulier\n> b\n> c") || tally.Tags["quality-speed"] != 1 || tally.Stances[bot.StanceNotMe] != 1 {
		t.Errorf("%+v\n%s", tally, channel)
	}
	if got := s.do(typed(100, "verwijder "+code, "z")); !strings.Contains(got, "Weggehaald") {
		t.Errorf("%q", got)
	}
}

// A tag chosen while an addition waits for its share choice is not lost with it.
func TestTagBetweenMergeAndShare(t *testing.T) {
	s := newScene(t)
	s.do(typed(0, "een", "a"), typed(1, "2", "b"), typed(2, "meer", "c"), typed(3, "erbij", "d"), pressed(4, "tag", "quality-speed"), typed(5, "2", "e"))
	if channel, tally := s.rest(); tally.Tags["quality-speed"] != 1 || !strings.Contains(channel, "een\n> meer") {
		t.Errorf("%+v\n%s", tally, channel)
	}
}

// With two open rounds an edited or repeated message asks again which one it is for; the share question names the round.
func TestWhichRoundIsAskedAgain(t *testing.T) {
	const other = bot.TeamID("fake:other")
	s := newScene(t, other)
	second := s.openRound(other)
	s.do(typed(0, "bij welke", "a"))
	if got := s.do(edited(1, "bij welke dan", "a")); !strings.Contains(got, "Bij welke hoort dit?") {
		t.Errorf("after an edit: %q", got)
	}
	if got := s.do(typed(2, "2", "b")); !strings.Contains(got, "fake:other: "+second.Prompt.In("nl").Title) && !strings.Contains(got, "fake:crew: "+s.r.Prompt.In("nl").Title) {
		t.Errorf("the share question does not name its round: %q", got)
	}
	if box, err := s.db.Box(context.Background(), second.ID); err != nil || len(box)+s.ballots() != 0 {
		t.Errorf("something counts before the share choice: %v", err)
	}
}

// What somebody writes about breaks, lists or rules is a reply, whatever it begins with. What would pause or switch off
// for everybody is asked about while it may be an answer.
func TestRepliesAreNotCommands(t *testing.T) {
	s := newScene(t)
	for i, text := range []string{"Pauze houden we altijd samen.", "Overslaan mag nooit", "Verwijder de regel over tijdschrijven", "Skip the paperwork", "Status is hier alles", "Help is er altijd"} {
		if got := s.do(typed(i, text, text)); !strings.Contains(got, "nog niet bewaard") {
			t.Errorf("%q: %q", text, got)
		}
	}
	s.do(typed(20, "2", "share"))
	for i, text := range []string{"Iets anders dat nu opvalt is de werkdruk", "6 collega's zijn ziek", "6 ȺȺȺȺ", "Iets anders te weinig mensen."} {
		if got := s.do(typed(30+10*i, text, text)); !strings.Contains(got, "erbij, of in de plaats") && !strings.Contains(got, "Er ligt al een antwoord") {
			t.Errorf("%q: %q", text, got)
		}
	}
	s.do(typed(90, "vervangen", "v"), typed(91, "1", "w"))
	if got := s.do(typed(92, "1, 7", "x")); !strings.Contains(got, "staan alleen") && !strings.Contains(got, "gaan niet samen") {
		t.Errorf("two tags that do not go together: %q", got)
	}
	if got := s.do(typed(93, "IETS anders: het Rooster", "y")); !strings.Contains(got, "Genoteerd: het Rooster") {
		t.Errorf("own words: %q", got)
	}
	if got := s.do(typed(94, "2", "z")); !strings.Contains(got, "Er ligt al een antwoord") {
		t.Errorf("after the tags a message is a reply again: %q", got)
	}
	ctx := context.Background()
	for _, word := range []string{"pauze", "uit"} {
		_, resp, err := s.fake.Type(ctx, "p1", word)
		if err != nil || !strings.Contains(plain(resp), "weerklank "+word) || !strings.Contains(plain(resp), "> "+word) {
			t.Errorf("%s: %q %v", word, plain(resp), err)
		}
	}
	if team, err := s.db.Team(ctx, crew); err != nil || team.SkipNext || team.State != bot.TeamOn {
		t.Errorf("%+v %v", team, err)
	}
	if _, resp, err := s.fake.Type(ctx, "p1", "weerklank pauze"); err != nil || !strings.Contains(plain(resp), "sla de volgende vraag over") {
		t.Errorf("%q %v", plain(resp), err)
	}
}

// One round whose key slot is lost keeps nobody from another, and ends as lost with a notice at the next start.
func TestALostSlotStopsOneRoundOnly(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC)) // Tuesday 08:00 in Amsterdam
		w := newWorld(t, nil)
		defer func() { w.close() }()
		ctx := context.Background()
		const other = bot.TeamID("fake:other")
		w.fake.Crew(other, 8)
		w.run()
		w.switchOn(crew, nil)
		w.switchOn(other, nil)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		first, second := w.openRound(crew), w.openRound(other)
		w.close()
		w.open()
		if err := w.keys.Destroy(ctx, string(second.ID)+".ballot"); err != nil {
			t.Fatal(err)
		}
		if _, resp, err := w.fake.Type(ctx, "p3", "een antwoord"); err != nil || !strings.Contains(plain(resp), "nog niet bewaard") {
			t.Errorf("%q %v", plain(resp), err)
		}
		w.run()
		synctest.Wait()
		if got, err := w.db.Round(ctx, second.ID); err != nil || got.State != bot.RoundLost || !strings.Contains(w.channel(other), "kan niemand meer openen") {
			t.Errorf("%s %v\n%s", got.State, err, w.channel(other))
		}
		if strings.Contains(w.channel(other), "De terugblik komt hier") || strings.Contains(w.channel(other), "(Antwoord zonder naam)") {
			t.Errorf("the lost round promises a give-back or invites an answer:\n%s", w.channel(other))
		}
		if got, err := w.db.Round(ctx, first.ID); err != nil || got.State != bot.RoundOpen {
			t.Errorf("the other round: %s %v", got.State, err)
		}
	})
}
