package bot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// finish closes the open round and gives it back at its own moments.
func (w *world) finish(r bot.Round) bot.Round {
	w.t.Helper()
	ctx := context.Background()
	for _, at := range []time.Time{r.Closes, r.GivesBack} {
		w.until(at)
		if _, err := w.bot.Step(ctx, at); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.bot.Send(ctx, at); err != nil {
			w.t.Fatal(err)
		}
	}
	got, err := w.db.Round(ctx, r.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// channel is everything that stands in a channel, as text.
func (w *world) channel(team bot.TeamID) string {
	var out strings.Builder
	for _, p := range w.fake.Posts(team) {
		out.WriteString(p.Message.Plain() + "\n----\n")
	}
	return out.String()
}

// Two hundred people reply at the same time, by form and by typing; some twice, some change, some withdraw. Counts are
// exact and each confirmed reply is there once.
func TestTwoHundredPeople(t *testing.T) {
	w, r := openWorld(t, 200)
	defer w.close()
	ctx := context.Background()
	var mu sync.Mutex
	want := map[string]bool{} // texts that must be shared, each once
	counted := 0
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 3))
			person, text := "p"+strconv.Itoa(i+1), fmt.Sprintf("antwoord nummer %03d", i)
			keep := true
			for round := range 1 + random.IntN(3) {
				text = fmt.Sprintf("antwoord %03d versie %d", i, round)
				if random.IntN(2) == 0 {
					form, err := w.fake.Press(ctx, person, crew, bot.Action{Do: "answer", Round: r.ID})
					if err != nil {
						t.Error(err)
						return
					}
					resp, err := w.fake.Submit(ctx, person, crew, form.Form, map[string][]string{"text": {text}, "share": {"share"}})
					if err != nil || len(resp.Errors) > 0 {
						t.Error(err, resp.Errors)
					}
					if random.IntN(3) == 0 { // the same submission again
						e := bot.FormSubmitted{From: w.fake.From(person, crew), Form: "reply", State: string(r.ID), Values: map[string][]string{"text": {text}, "share": {"share"}}}
						first, _ := w.fake.Send(ctx, e)
						second, _ := w.fake.Send(ctx, e)
						if plain(first) != plain(second) {
							t.Error("a redelivered form got another answer")
						}
					}
				} else {
					if _, _, err := w.fake.Type(ctx, person, text); err != nil {
						t.Error(err)
					}
					w.fake.Type(ctx, person, "vervangen") // if there is something to replace
					if _, _, err := w.fake.Type(ctx, person, "2"); err != nil {
						t.Error(err)
					}
				}
				keep = true
				if random.IntN(6) == 0 {
					if _, _, err := w.fake.Type(ctx, person, "trek in"); err != nil {
						t.Error(err)
					}
					keep = false
				}
			}
			if keep {
				mu.Lock()
				want[text], counted = true, counted+1
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	got := w.finish(r)
	if got.Tally == nil || got.Tally.Respondents != counted {
		t.Fatalf("%+v respondents, want %d", got.Tally, counted)
	}
	all := w.channel(crew)
	for text := range want {
		if n := strings.Count(all, "> "+text+"\n"); n < 1 || n > 2 { // in the thread, and perhaps among the few above
			t.Errorf("%q stands %d times in the give-back", text, n)
		}
	}
	for i := range 200 {
		for v := range 3 {
			if text := fmt.Sprintf("antwoord %03d versie %d", i, v); !want[text] && strings.Contains(all, text) {
				t.Errorf("%q was replaced or withdrawn, and is shown", text)
			}
		}
	}
}

// typing tells a story in one direct conversation.
func TestTypedReply(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	says := func(person, text, want string) string {
		t.Helper()
		id, resp, err := w.fake.Type(ctx, person, text)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plain(resp), want) {
			t.Errorf("after %q: %q, want %q", text, plain(resp), want)
		}
		return id
	}
	tally := func() *bot.Tally { // what a closing now would count
		box, err := w.db.Box(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		return &bot.Tally{Respondents: len(box)}
	}
	one := says("p2", "eerste stuk", "nog niet bewaard")
	two := says("p2", "tweede stuk", "nog niet bewaard")
	if tally().Respondents != 0 {
		t.Error("a draft counts")
	}
	says("p2", "2", "Bewaard, zonder naam.")
	if tally().Respondents != 1 {
		t.Error("a confirmed reply does not count")
	}
	says("p2", "1 3", "Beleid en praktijk, Goed werk en vlot werk")
	says("p2", "nog iets", "erbij, of in de plaats")
	says("p2", "erbij", "Wat mag ik ermee doen")
	says("p2", "deel", "Bewaard")
	// An edit and a deletion act on their own part.
	from := w.fake.From("p2", "")
	if resp, err := w.fake.Send(ctx, bot.DirectReply{From: from, Text: "eerste stuk, beter", Message: one, Edited: true}); err != nil || !strings.Contains(plain(resp), "Aangepast") {
		t.Errorf("%v %q", err, plain(resp))
	}
	if _, err := w.fake.Send(ctx, bot.ReplyWithdrawn{From: w.fake.From("p2", ""), Message: two}); err != nil {
		t.Fatal(err)
	}
	// A late copy of the deleted message does nothing.
	late := w.fake.From("p2", "")
	late.At = late.At.Add(-time.Hour)
	if _, err := w.fake.Send(ctx, bot.DirectReply{From: late, Text: "tweede stuk", Message: two}); err != nil {
		t.Fatal(err)
	}
	for i := 3; i <= 7; i++ {
		person := "p" + strconv.Itoa(i)
		says(person, "antwoord van "+person, "nog niet bewaard")
		says(person, "2", "Bewaard")
	}
	says("p8", "alleen voor mij", "nog niet bewaard")
	says("p8", "voor mezelf", "Niets bewaard")
	// Words: stance alone, command after >, unknown.
	says("p1", "> help", "nog niet bewaard")
	says("p1", "3", "Niets bewaard")
	says("p1", "help", "Dit kun je mij vragen")
	says("p1", "raakt mij niet", "Bewaard")
	if got := tally().Respondents; got != 7 {
		t.Errorf("%d respondents", got)
	}
	got := w.finish(r)
	all := w.channel(crew)
	if !strings.Contains(all, "eerste stuk, beter\n> nog iets") || strings.Contains(all, "tweede stuk") || strings.Contains(all, "alleen voor mij") {
		t.Errorf("the give-back:\n%s", all)
	}
	if got.Tally.Tags["policy-practice"] != 1 || got.Tally.Stances[bot.StanceNotMe] != 1 {
		t.Errorf("%+v", got.Tally)
	}
	says("p2", "te laat", "Ik lees dit als antwoord op 'fake:crew: verder over ")
}

// With several open rounds the bot asks which one, and loses nothing meanwhile, also over a restart.
func TestSeveralOpenRounds(t *testing.T) {
	const other = bot.TeamID("fake:other")
	w, r := openWorld(t, 8, other)
	defer func() { w.close() }()
	ctx := context.Background()
	second := w.openRound(other)
	_, resp, err := w.fake.Type(ctx, "p3", "bij welke hoort dit")
	if err != nil || !strings.Contains(plain(resp), "Bij welke hoort dit?") {
		t.Fatalf("%v %q", err, plain(resp))
	}
	w.close()
	w.open()
	_, resp, err = w.fake.Type(ctx, "p3", "en dit ook")
	if err != nil || !strings.Contains(plain(resp), "Bij welke hoort dit?") {
		t.Fatalf("%v %q", err, plain(resp))
	}
	resp, err = w.fake.Press(ctx, "p3", "", bot.Action{Do: "round", Round: second.ID})
	if err != nil || !strings.Contains(plain(resp), "Wat mag ik ermee doen?") {
		t.Fatalf("%v %q", err, plain(resp))
	}
	if _, err = w.fake.Press(ctx, "p3", "", bot.Action{Do: "share", Round: second.ID, Arg: "share"}); err != nil {
		t.Fatal(err)
	}
	form, err := w.fake.Press(ctx, "p3", other, bot.Action{Do: "answer", Round: second.ID})
	if err != nil || form.Form == nil || form.Form.Fields[0].Value[0] != "bij welke hoort dit\nen dit ook" {
		t.Fatalf("%v %+v", err, form.Form)
	}
	for id, want := range map[bot.RoundID]int{r.ID: 0, second.ID: 1} {
		if box, err := w.db.Box(ctx, id); err != nil || len(box) != want {
			t.Errorf("%d ballots, %v", len(box), err)
		}
	}
}

// The receipt's code takes a released reply out of the give-back; a wrong, early or used one does nothing.
func TestReceipt(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	var code string
	for i := range 6 {
		resp := w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {fmt.Sprintf("tekst %d", i)}, "share": {"share"}})
		if i == 2 {
			_, after, _ := strings.Cut(plain(resp), "met deze code: ")
			code, _, _ = strings.Cut(after, ". Ik kan")
		}
	}
	remove := func(code string) string {
		t.Helper()
		_, resp, err := w.fake.Type(ctx, "p8", "verwijder "+code)
		if err != nil {
			t.Fatal(err)
		}
		return plain(resp)
	}
	early := remove(code)
	w.finish(r)
	if !strings.Contains(w.channel(crew), "tekst 2") {
		t.Fatal("the reply was not shared")
	}
	wrong := remove("AAAA-BBBB-CCCC-DDDD")
	if early != wrong || !strings.Contains(early, "kan ik niets weghalen") {
		t.Errorf("early %q, wrong %q", early, wrong)
	}
	if got := remove(strings.ToLower(strings.ReplaceAll(code, "-", " "))); !strings.Contains(got, "Weggehaald") {
		t.Errorf("%q", got)
	}
	if _, err := w.bot.Send(ctx, time.Now().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	all := w.channel(crew)
	if strings.Contains(all, "tekst 2") || !strings.Contains(all, "tekst 3") {
		t.Errorf("after the removal:\n%s", all)
	}
	if remove(code) != wrong {
		t.Error("a used code tells that it was one")
	}
}

// Below the minimum: no text, no count, nothing carried over, from nought to one below (TRUST A10, A14).
func TestBelowTheMinimum(t *testing.T) {
	var said string
	for n := range 5 {
		w, r := openWorld(t, 8)
		for i := range n {
			w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {"GEHEIM"}, "share": {"share"}})
		}
		got := w.finish(r)
		posts := w.fake.Posts(crew)
		text := posts[len(posts)-1].Message.Plain()
		if said == "" {
			said = text
		}
		if got.State != bot.RoundTooFew || got.Tally != nil || strings.Contains(w.channel(crew), "GEHEIM") || text != said {
			t.Errorf("%d replies: %s %+v\n%s", n, got.State, got.Tally, text)
		}
		w.close()
	}
}

// What hostile people send is refused with a clear message or kept inert; nothing breaks, nothing is lost.
func TestHostileInput(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	for i, tc := range []struct{ text, want string }{
		{strings.Repeat("x", 100_000), "te lang"},
		{strings.Repeat("é", 1501), "te lang"},
		{"\u200b\u200e\u2066\u00ad", "geen woorden"},
		{"\x00\x01\x02", "geen woorden"},
		{"<!channel> @all <script>alert(1)</script> [x](javascript:alert(1)) **vet**", "nog niet bewaard"},
		{"👍👍👍", "nog niet bewaard"},
	} {
		person := fmt.Sprintf("p%d", i+1)
		_, resp, err := w.fake.Type(ctx, person, tc.text)
		if err != nil || !strings.Contains(plain(resp), tc.want) {
			t.Errorf("%.20q: %v %q", tc.text, err, plain(resp))
		}
	}
	// A form that is too long keeps what was typed, beside the error.
	form, err := w.fake.Press(ctx, "p1", crew, bot.Action{Do: "answer", Round: r.ID})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("woord ", 400)
	resp, err := w.fake.Submit(ctx, "p1", crew, form.Form, map[string][]string{"text": {long}, "share": {"share"}, "stance": {"nonsense"}, "tags": {"none", "quality-speed", "made-up"}})
	if err != nil || resp.Form == nil || resp.Form.Fields[0].Value[0] != long || resp.Errors["text"] == "" || resp.Errors["stance"] == "" || resp.Errors["tags"] == "" {
		t.Errorf("%v %v", err, resp.Errors)
	}
	// Not in the channel, unknown rounds, forged choices, other people's rights.
	w.fake.Add(chattest.Person{ID: "stranger", Lang: prompts.English})
	for _, a := range []bot.Action{{Do: "answer", Round: r.ID}, {Do: "answer", Round: "nothing"}, {Do: "vote", Round: r.ID, Arg: "stop"}, {Do: "share", Round: r.ID, Arg: "everything"}, {Do: "nonsense"}} {
		resp, err := w.fake.Press(ctx, "stranger", crew, a)
		if err != nil || resp.Form != nil || resp.Message == nil {
			t.Errorf("%+v: %v %+v", a, err, resp)
		}
	}
	for _, command := range []string{"aan", "uit", "instellingen"} {
		if resp, err := w.fake.Command(ctx, "p2", crew, command); err != nil || resp.Form != nil || !strings.Contains(plain(resp), "Dit kan alleen wie dit kanaal beheert") {
			t.Errorf("%s by a member: %v %q", command, err, plain(resp))
		}
	}
	if resp, err := w.fake.Send(ctx, bot.FormSubmitted{From: w.fake.From("p2", crew), Form: "settings", State: string(crew), Values: map[string][]string{"min_replies": {"1"}}}); err != nil || !strings.Contains(plain(resp), "beheert") {
		t.Errorf("%v %q", err, plain(resp))
	}
	resp, err = w.fake.Command(ctx, "p2", crew, "maak koffie <!channel>")
	if err != nil || !strings.Contains(plain(resp), "Dat ken ik niet") || strings.Contains(plain(resp), "koffie") {
		t.Errorf("%v %q", err, plain(resp))
	}
	// Quotes keep people's words apart from the bot's own.
	for i := range 5 {
		w.answer(fmt.Sprintf("p%d", i+2), r.ID, map[string][]string{"text": {"**vet** <!channel> {closing}\u202e\nGroet, Jan"}, "share": {"share"}})
	}
	w.finish(r)
	found := 0
	for _, p := range w.fake.Posts(crew) {
		for _, b := range p.Message.Blocks {
			for _, s := range b.Spans {
				if strings.Contains(s.Text, "<!channel>") {
					found++
					if !s.Person || s.Strong || strings.Contains(s.Text, "\u202e") || strings.Contains(s.Text, "Jan") || s.Text != "**vet** <!channel> {closing}" {
						t.Errorf("%+v", s)
					}
				}
			}
		}
	}
	if found == 0 {
		t.Error("the quotes are missing")
	}
}

// While a round is open, two runs that differ only in who answered look the same to everyone else (TRUST A20).
func TestNobodySeesWhoAnswered(t *testing.T) {
	var seen []string
	for _, people := range [][]string{{}, {"p2", "p3"}, {"p4", "p5", "p6", "p7", "p8"}} {
		w, r := openWorld(t, 8)
		for _, p := range people {
			w.answer(p, r.ID, map[string][]string{"text": {"x"}, "share": {"share"}})
		}
		ctx := context.Background()
		var out strings.Builder
		out.WriteString(w.channel(crew))
		for _, person := range []string{"p1", "p2"} {
			for _, command := range []string{"status", "seizoen", "volgende", "mij", "waarom", "help"} {
				resp, err := w.fake.Command(ctx, person, crew, command)
				if err != nil {
					t.Fatal(err)
				}
				out.WriteString(plain(resp))
			}
		}
		if len(w.fake.Told()) != 0 {
			t.Error("somebody got a message they did not ask for")
		}
		seen = append(seen, out.String())
		w.close()
	}
	for _, s := range seen[1:] {
		if s != seen[0] {
			t.Errorf("who answered shows:\n%s\n\nbeside\n%s", s, seen[0])
		}
	}
}

// No log line holds an account or a text, and after closing no file holds them either.
func TestNothingLeaks(t *testing.T) {
	var logs bytes.Buffer
	var mu sync.Mutex
	w := newWorld(t, func(o *bot.Options) {
		o.Log = slog.New(slog.NewJSONHandler(lockedWriter{&mu, &logs}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	const secret, marker = "ACCOUNT-7F3A", "TEKST-9C21"
	for i := range 6 {
		w.fake.Add(chattest.Person{ID: fmt.Sprintf("%s-%d", secret, i), Name: "x", Lang: prompts.Dutch, Channels: []bot.TeamID{crew}})
	}
	w.switchOn(crew, nil)
	ctx := context.Background()
	team, err := w.db.Team(ctx, crew)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.bot.Step(ctx, team.NextOpens); err != nil {
		t.Fatal(err)
	}
	r := w.openRound(crew)
	for i := range 6 {
		person := fmt.Sprintf("%s-%d", secret, i)
		if i%2 == 0 {
			w.answer(person, r.ID, map[string][]string{"text": {marker}, "share": {"count"}})
			continue
		}
		w.fake.Type(ctx, person, marker+" getypt")
		w.fake.Type(ctx, person, "1")
	}
	search := func(when string, words ...string) {
		t.Helper()
		filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			for _, word := range words {
				if bytes.Contains(raw, []byte(word)) {
					t.Errorf("%s: %s holds %s", when, filepath.Base(path), word)
				}
			}
			return err
		})
	}
	search("while open", secret, marker)
	w.fake.SetFault(func(what string, team bot.TeamID) (error, bool) { return errors.New("the platform said no"), false })
	w.finish(r)
	w.fake.SetFault(nil)
	search("after closing", secret, marker)
	w.close()
	mu.Lock()
	defer mu.Unlock()
	for _, word := range []string{secret, marker} {
		if strings.Contains(logs.String(), word) {
			t.Errorf("the log holds %s", word)
		}
	}
	if logs.Len() == 0 {
		t.Error("nothing was logged: the test looks in the wrong place")
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// Switching on is refused with its reason until everything is there.
func TestSwitchingOn(t *testing.T) {
	w := newWorld(t, func(o *bot.Options) { o.PublicSector = true })
	defer w.close()
	ctx := context.Background()
	r, err := w.fake.Command(ctx, "p1", crew, "aan")
	if err != nil || r.Form == nil {
		t.Fatal(err)
	}
	r, err = w.fake.Submit(ctx, "p1", crew, r.Form, map[string][]string{"rhythm": {"custom"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"adviser", "worktime", "works_council", "privacy_officer", "cron"} {
		if r.Errors[field] == "" {
			t.Errorf("%s is missing and nobody says so", field)
		}
	}
	// A rhythm of one's own asks for its moments, and starts with them.
	r, err = w.fake.Submit(ctx, "p1", crew, r.Form, map[string][]string{"rhythm": {"custom"}, "cron": {"0 9 * * WED"}, "window": {"2d"}, "give_back_after": {"1h"},
		"adviser": {"A"}, "worktime": {"yes"}, "works_council": {"yes"}, "privacy_officer": {"yes"}})
	if err != nil || len(r.Errors) > 0 {
		t.Fatal(err, r.Errors)
	}
	if team, err := w.db.Team(ctx, crew); err != nil || team.Settings.Cron != "0 9 * * WED" || team.Settings.Window != "2d" || team.State != bot.TeamOn {
		t.Errorf("%+v %v", team, err)
	}
	const small = bot.TeamID("fake:small")
	w.fake.Crew(small, 5)
	r, _ = w.fake.Command(ctx, "p1", small, "aan")
	ticks := map[string][]string{"adviser": {"A"}, "worktime": {"yes"}, "works_council": {"yes"}, "privacy_officer": {"yes"}}
	r, err = w.fake.Submit(ctx, "p1", small, r.Form, ticks)
	if err != nil || !strings.Contains(r.Errors["rhythm"], "minder dan zes mensen") {
		t.Errorf("five people: %v %v", err, r.Errors)
	}
	ticks["rhythm"] = []string{"talk-only"}
	r, err = w.fake.Submit(ctx, "p1", small, r.Form, ticks)
	if err != nil || len(r.Errors) != 0 {
		t.Fatalf("%v %v", err, r.Errors)
	}
	team, err := w.db.Team(ctx, small)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.bot.Step(ctx, team.NextOpens); err != nil {
		t.Fatal(err)
	}
	if _, err := w.bot.Send(ctx, team.NextOpens); err != nil {
		t.Fatal(err)
	}
	posts := w.fake.Posts(small)
	last := posts[len(posts)-1].Message
	for _, b := range last.Blocks {
		if len(b.Actions) > 0 {
			t.Error("a question to talk about has a button")
		}
	}
	if slots, _ := w.keys.Slots(ctx); len(slots) != 0 {
		t.Errorf("a question to talk about made key slots: %v", slots)
	}
}

// Announced activation: one week of votes, no list, and a start only with enough of them.
func TestAnnouncedActivation(t *testing.T) {
	for _, yes := range []int{4, 5} {
		w := newWorld(t, func(o *bot.Options) { o.Activation = "announced" })
		ctx := context.Background()
		w.switchOn(crew, nil)
		rounds, err := w.db.Rounds(ctx, crew)
		if err != nil || len(rounds) != 1 || rounds[0].Kind != bot.RoundJoin {
			t.Fatalf("%v %v", rounds, err)
		}
		for i := range 7 {
			arg := "no"
			if i < yes {
				arg = "yes"
			}
			if _, err := w.fake.Press(ctx, fmt.Sprintf("p%d", i+1), crew, bot.Action{Do: "vote", Round: rounds[0].ID, Arg: arg}); err != nil {
				t.Fatal(err)
			}
		}
		w.finish(rounds[0])
		team, err := w.db.Team(ctx, crew)
		if err != nil || (team.State == bot.TeamOn) != (yes >= 5) {
			t.Errorf("%d yes: %s %v", yes, team.State, err)
		}
		if slots, _ := w.keys.Slots(ctx); len(slots) != 0 {
			t.Errorf("slots of the vote are left: %v", slots)
		}
		w.close()
	}
}

// Anyone may pause, once, without a name; off lets the open round end.
func TestPauseAndOff(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	team, _ := w.db.Team(ctx, crew)
	skipped := team.NextOpens
	for i, want := range []string{"Ik noem geen naam", "sla de volgende vraag al over"} {
		resp, err := w.fake.Command(ctx, fmt.Sprintf("p%d", i+3), crew, "pauze")
		if err != nil || !strings.Contains(plain(resp), want) {
			t.Errorf("%v %q", err, plain(resp))
		}
	}
	w.bot.Send(ctx, w.fake.Now())
	if n := strings.Count(w.channel(crew), "Een collega vroeg om rust"); n != 1 || strings.Contains(w.channel(crew), "Person 3") {
		t.Errorf("told %d times", n)
	}
	w.finish(r)
	if _, err := w.bot.Step(ctx, skipped); err != nil {
		t.Fatal(err)
	}
	team, _ = w.db.Team(ctx, crew)
	if team.Open != "" || team.SkipNext || !team.NextOpens.After(skipped) {
		t.Errorf("not skipped: %+v", team)
	}
	if _, err := w.bot.Step(ctx, team.NextOpens); err != nil {
		t.Fatal(err)
	}
	r = w.openRound(crew)
	resp, err := w.fake.Command(ctx, "p1", crew, "uit")
	if err != nil || !strings.Contains(plain(resp), "na de terugblik") {
		t.Errorf("%v %q", err, plain(resp))
	}
	for i := range 5 {
		w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {"toch nog"}, "share": {"share"}})
	}
	if got := w.finish(r); got.State != bot.RoundGivenBack {
		t.Errorf("the open round ended %s", got.State)
	}
	if next, err := w.bot.Step(ctx, r.GivesBack.AddDate(0, 3, 0)); err != nil || !next.IsZero() && next.Before(r.GivesBack.AddDate(0, 0, 80)) {
		t.Errorf("something is planned after switching off: %v %v", next, err)
	}
}

// Two thin rounds ask for the pace; without five votes it halves, and after two more it stops.
func TestThinRoundsSlowDownAndStop(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	for range 12 {
		team, err := w.db.Team(ctx, crew)
		if err != nil {
			t.Fatal(err)
		}
		if team.State != bot.TeamOn {
			break
		}
		at := team.NextOpens
		if team.Open != "" {
			w.finish(r)
			continue
		}
		if _, err := w.bot.Step(ctx, at); err != nil {
			t.Fatal(err)
		}
		if _, err := w.bot.Send(ctx, at); err != nil {
			t.Fatal(err)
		}
		if team, _ = w.db.Team(ctx, crew); team.Open != "" {
			r = w.openRound(crew)
		}
	}
	if _, err := w.bot.Send(ctx, time.Now().AddDate(2, 0, 0)); err != nil {
		t.Fatal(err)
	}
	team, _ := w.db.Team(ctx, crew)
	if team.State != bot.TeamResting || !team.HalfPace || !strings.Contains(w.channel(crew), "half zo vaak") || !strings.Contains(w.channel(crew), "Ik stop even") {
		t.Errorf("%s half pace %v\n%s", team.State, team.HalfPace, w.channel(crew))
	}
}

// Retention: after its days the key and the texts are gone, the tally stays.
func TestRetention(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	for i := range 5 {
		w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {"tot over negentig dagen"}, "share": {"share"}})
	}
	got := w.finish(r)
	if shelf, _ := w.db.Shelf(ctx, r.ID); len(shelf) != 5 {
		t.Fatalf("%d on the shelf", len(shelf))
	}
	for _, days := range []int{89, 91} {
		if _, err := w.bot.Step(ctx, got.Closes.AddDate(0, 0, days)); err != nil {
			t.Fatal(err)
		}
		shelf, _ := w.db.Shelf(ctx, r.ID)
		if (len(shelf) == 5) != (days < 90) {
			t.Errorf("after %d days: %d on the shelf", days, len(shelf))
		}
	}
	if slots, _ := w.keys.Slots(ctx); len(slots) > 1 { // a later round's own, at most
		t.Errorf("slots left: %v", slots)
	}
	if got, _ = w.db.Round(ctx, r.ID); got.Tally == nil || got.Tally.Respondents != 5 {
		t.Errorf("the tally went too: %+v", got.Tally)
	}
}

// Killed between any two steps of closing: released once, keys destroyed, nothing stuck. The store fails at the n-th
// write; a new process goes on.
func TestClosingIsResumable(t *testing.T) {
	for cut := range 6 {
		w, r := openWorld(t, 8)
		for i := range 6 {
			w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {fmt.Sprintf("t%d", i)}, "share": {"share"}})
		}
		ctx, cancel := context.WithCancel(context.Background())
		w.o.Store, w.o.Keys = nil, nil
		o := w.o
		o.Chats = []bot.Chat{w.fake}
		o.Store = &failingStore{Store: w.db, left: cut, cancel: cancel}
		o.Keys = w.keys
		first, err := bot.New(o)
		if err != nil {
			t.Fatal(err)
		}
		first.Step(ctx, r.Closes) // dies somewhere
		cancel()
		w.close()
		w.open()
		got := w.finish(r)
		if got.State != bot.RoundGivenBack || got.Tally.Respondents != 6 {
			t.Errorf("cut %d: %s %+v", cut, got.State, got.Tally)
		}
		if shelf, _ := w.db.Shelf(context.Background(), r.ID); len(shelf) != 6 {
			t.Errorf("cut %d: %d on the shelf", cut, len(shelf))
		}
		run, stop := context.WithTimeout(context.Background(), 50*time.Millisecond)
		w.bot.Run(run) // a start looks through the key slots
		stop()
		slots, _ := w.keys.Slots(context.Background())
		for _, s := range slots {
			if strings.HasPrefix(s, string(r.ID)) && strings.HasSuffix(s, ".ballot") {
				t.Errorf("cut %d: the ballot key is still there", cut)
			}
		}
		w.close()
	}
}

// failingStore is the real store until it has done a number of writes; then the process "dies".
type failingStore struct {
	bot.Store
	left   int
	cancel func()
}

var errDied = errors.New("the process died here")

func (f *failingStore) step() error {
	if f.left--; f.left < 0 {
		f.cancel()
		return errDied
	}
	return nil
}

func (f *failingStore) UpdateRound(ctx context.Context, id bot.RoundID, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.Store.UpdateRound(ctx, id, edit)
}

func (f *failingStore) Release(ctx context.Context, id bot.RoundID, replies []bot.SealedReply, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.Store.Release(ctx, id, replies, edit)
}

func (f *failingStore) Erase(ctx context.Context) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.Store.Erase(ctx)
}

// The outbox: what may have been posted is looked up and never repeated blindly; one failing channel delays no other.
func TestOutboxFaults(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	ctx := context.Background()
	now := time.Now()
	queue := func(id string, team bot.TeamID) {
		if err := w.db.Queue(ctx, bot.Post{ID: bot.PostID(id), Key: "key-" + id, Team: team, State: bot.PostQueued, After: now, Message: bot.Message{Blocks: []bot.Block{bot.Heading(id)}}}); err != nil {
			t.Fatal(err)
		}
	}
	count := func(id string) (n int) {
		for _, p := range w.fake.Posts("") {
			if p.Key == "key-"+id {
				n++
			}
		}
		return n
	}
	send := func(after time.Duration) { w.bot.Send(ctx, now.Add(after)) }
	for name, fault := range map[string]func(string, bot.TeamID) (error, bool){
		"posted-uncertain": func(what string, _ bot.TeamID) (error, bool) {
			if what == "post" {
				return bot.ErrUncertain, true
			}
			return nil, true
		},
		"lost-uncertain": func(what string, _ bot.TeamID) (error, bool) {
			if what == "post" {
				return bot.ErrUncertain, false
			}
			return nil, true
		},
		"later": func(what string, _ bot.TeamID) (error, bool) {
			if what == "post" {
				return &bot.RetryError{After: time.Second, Err: errors.New("busy")}, false
			}
			return nil, true
		},
	} {
		queue(name, crew)
		w.fake.SetFault(fault)
		send(0)
		w.fake.SetFault(nil)
		for i := range 5 {
			send(time.Duration(i+1) * time.Minute)
		}
		p, err := w.db.Post(ctx, bot.PostID(name))
		if err != nil || p.State != bot.PostSent || count(name) != 1 {
			t.Errorf("%s: %s, posted %d times, %v", name, p.State, count(name), err)
		}
	}
	// Without a way to look it up, a person is asked.
	w.o.Chats = []bot.Chat{chattest.Plain{Chat: w.fake}}
	w.close()
	w.open()
	w.db.UpdateTeam(ctx, crew, func(t *bot.Team) (bot.Also, error) {
		t.State, t.SwitchedOnBy, t.Settings = bot.TeamOn, "fake:p1", defaults()
		return bot.Also{}, nil
	})
	queue("asked", crew)
	w.fake.SetFault(func(what string, _ bot.TeamID) (error, bool) {
		if what == "post" {
			return bot.ErrUncertain, false
		}
		return nil, true
	})
	send(0)
	w.fake.SetFault(nil)
	for i := range 5 {
		send(time.Duration(i+1) * time.Minute)
	}
	p, _ := w.db.Post(ctx, "asked")
	if p.State != bot.PostUncertain || count("asked") != 0 || len(w.fake.Told()) != 1 {
		t.Errorf("%s, posted %d, asked %d", p.State, count("asked"), len(w.fake.Told()))
	}
	// One channel hangs; the other does not wait for it.
	release := make(chan struct{})
	w.fake.SetFault(func(what string, team bot.TeamID) (error, bool) {
		if team == "fake:slow" {
			<-release
		}
		return nil, true
	})
	queue("slow", "fake:slow")
	queue("quick", "fake:quick")
	done := make(chan struct{})
	go func() { send(10 * time.Minute); close(done) }()
	deadline := time.Now().Add(10 * time.Second)
	for count("quick") == 0 && time.Now().Before(deadline) {
	}
	if count("quick") != 1 || count("slow") != 0 {
		t.Error("a hanging channel delays another")
	}
	close(release)
	<-done
	w.fake.SetFault(nil)
}
