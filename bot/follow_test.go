package bot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
)

// round is a round as it is stored now.
func (w *world) round(id bot.RoundID) bot.Round {
	w.t.Helper()
	r, err := w.db.Round(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// followUp is the follow-up that stands open in the team.
func (w *world) followUp() bot.Round {
	w.t.Helper()
	all := w.team().Follows
	if len(all) != 1 {
		w.t.Fatalf("%d follow-ups", len(all))
	}
	return w.round(all[0])
}

// openFollow has a question answered by six and given back, so that its follow-up stands open.
func openFollow(t testing.TB) (w *world, question, follow bot.Round) {
	w, question = openWorld(t, 8)
	w.six(question)
	question = w.finish(question)
	return w, question, w.followUp()
}

// shares has n people answer a follow-up by form, and gives their codes.
func (w *world) shares(r bot.Round, n int) map[string]string {
	w.t.Helper()
	codes := map[string]string{}
	for i := 2; i < 2+n; i++ {
		p := fmt.Sprintf("p%d", i)
		out := plain(w.answer(p, r.ID, map[string][]string{"text": {"verder volgens " + p}, "share": {"share"}}))
		if _, after, ok := strings.Cut(out, "deze code: "); ok {
			codes[p] = after[:19]
		}
	}
	return codes
}

// said are the team's posts that hold some words, as they are now.
func (w *world) said(words string) (out []chattest.Posted) {
	for _, p := range w.fake.Posts(crew) {
		if strings.Contains(p.Message.Plain(), words) {
			out = append(out, p)
		}
	}
	return out
}

// Words of a follow-up, as the channel sees them.
const (
	invites = "Of antwoord zonder naam, tot"
	shut    = "Zonder naam antwoorden kan niet meer"
	gaveOn  = "Dit kwam zonder naam binnen, door elkaar"
	noneOn  = "Zonder naam kwam er te weinig binnen om te delen"
)

// With a give-back a second box opens, until the team's next opening. What was shared in it is given back once, below the
// give-back, before the next question stands there; nothing of it is counted anywhere.
func TestFollowUp(t *testing.T) {
	w, q, f := openFollow(t)
	defer w.close()
	ctx := context.Background()
	if f.Kind != bot.RoundFollow || f.Of != q.ID || f.MinReplies != q.MinReplies || !f.Closes.Equal(w.team().NextOpens) {
		t.Errorf("%+v", f)
	}
	root := w.said("Terugblik")[0].Ref
	if p := w.said(invites); len(p) != 1 || p[0].Thread != root || !strings.Contains(p[0].Message.Plain(), q.Followup) {
		t.Errorf("the invitation: %+v", p)
	}
	r, err := w.fake.Press(ctx, "p2", crew, bot.Action{Do: "answer", Round: f.ID})
	if err != nil || r.Form == nil {
		t.Fatal(err, plain(r))
	}
	var fields []string
	for _, field := range r.Form.Fields {
		fields = append(fields, field.Name)
	}
	if !slices.Equal(fields, []string{"text", "share"}) {
		t.Errorf("fields %v", fields)
	}
	for _, wrong := range []map[string][]string{{}, {"stance": {"both"}}, {"text": {"x"}}, {"tags": {"quality-speed"}, "share": {"count"}}} {
		if r := w.answer("p2", f.ID, wrong); len(r.Errors) == 0 {
			t.Errorf("%v was taken: %s", wrong, plain(r))
		}
	}
	w.shares(f, 4)
	// What a form of another shape sends along does not stay.
	w.answer("p6", f.ID, map[string][]string{"text": {"alleen geteld"}, "share": {"count"}, "stance": {"counter"}, "tags": {"quality-speed"}, "other": {"rooster"}})
	w.step(f.Closes)
	if p := w.said(shut); len(p) != 1 || p[0].Edits != 1 || p[0].Thread != root || strings.Contains(p[0].Message.Plain(), "(Antwoord zonder naam)") {
		t.Errorf("the invitation afterwards: %+v", p)
	}
	given := w.said(gaveOn)
	if len(given) != 1 || given[0].Thread != root || strings.Count(given[0].Message.Plain(), "> verder volgens") != 4 || strings.Contains(w.channel(crew), "alleen geteld") {
		t.Fatalf("given back: %+v", given)
	}
	posts := w.fake.Posts(crew)
	if last := posts[len(posts)-1]; last.Thread != "" || !strings.Contains(last.Message.Plain(), "(Antwoord zonder naam)") || last.At.Before(given[0].At) {
		t.Errorf("the next question does not stand last: %s", last.Message.Plain())
	}
	got := w.round(f.ID)
	if got.State != bot.RoundGivenBack || got.Tally != nil || got.Keep.IsZero() || len(w.team().Follows) != 0 {
		t.Errorf("%+v", got)
	}
	shelf, err := w.db.Shelf(ctx, f.ID)
	if err != nil || len(shelf) != 4 {
		t.Errorf("%d on the shelf, %v", len(shelf), err)
	}
	if after := w.round(q.ID); fmt.Sprint(*after.Tally) != fmt.Sprint(*q.Tally) {
		t.Errorf("the question's counts changed: %+v", after.Tally)
	}
	// Nothing more comes of it.
	n := len(posts)
	next := w.openRound(crew)
	w.step(next.Closes)
	w.step(next.GivesBack)
	for _, p := range w.fake.Posts(crew)[n:] {
		if strings.Contains(p.Message.Plain(), "verder volgens") {
			t.Error("it is told again")
		}
	}
	w.step(got.Keep.Add(time.Hour))
	if shelf, err := w.db.Shelf(ctx, f.ID); err != nil || len(shelf) != 0 || slices.Contains(w.slotsOf("shelf"), string(f.ID)+".shelf") {
		t.Errorf("after retention: %d, %v", len(shelf), err)
	}
}

// Too few, and enough of whom nobody shares, are told in the same words and leave the same record, without a number.
func TestFollowUpTooFew(t *testing.T) {
	for name, answers := range map[string]func(w *world, f bot.Round){
		"nobody": func(*world, bot.Round) {},
		"four":   func(w *world, f bot.Round) { w.shares(f, 4) },
		"enough, counted only": func(w *world, f bot.Round) {
			for i := range 7 {
				w.answer(fmt.Sprintf("p%d", i+1), f.ID, map[string][]string{"text": {"verder volgens"}, "share": {"count"}})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, f := openFollow(t)
			defer w.close()
			answers(w, f)
			w.step(f.Closes)
			got := w.round(f.ID)
			if got.State != bot.RoundTooFew || got.Tally != nil || !got.Keep.IsZero() || got.Pages != 0 || len(w.said(noneOn)) != 1 || len(w.said("verder volgens")) != 0 {
				t.Errorf("%+v\n%s", got, w.channel(crew))
			}
			if slots := w.slotsOf("ballot"); slices.Contains(slots, string(f.ID)+".ballot") || slices.Contains(w.slotsOf("shelf"), string(f.ID)+".shelf") {
				t.Errorf("slots: %v", slots)
			}
			if w.team().Thin != 0 {
				t.Error("a quiet follow-up makes a team thin")
			}
		})
	}
}

// A typed message is for the follow-up while only that is open; it goes the way of every typed reply, without the question
// what it was about. What a stance or a tag would be is words here.
func TestFollowUpTyped(t *testing.T) {
	w, _, f := openFollow(t)
	defer w.close()
	says := func(person, text, want string) {
		t.Helper()
		if _, r, err := w.fake.Type(context.Background(), person, text); err != nil || !strings.Contains(plain(r), want) {
			t.Errorf("after %q: %q, want %q, %v", text, plain(r), want, err)
		}
	}
	says("p2", "dat was vorige week", "verder over ")
	says("p2", "en deze week ook", "nog niet bewaard")
	says("p2", "2", "lees je daarna in de draad")
	says("p2", "1", "erbij, of in de plaats") // no tag
	says("p2", "vervangen", "Wat mag ik ermee doen?")
	says("p2", "3", "Niets bewaard")
	says("p3", "Allebei", "nog niet bewaard") // no stance
	says("p3", "2", "Bewaard")
	says("p3", "code", "Na het sluiten haal je er je antwoord mee weg")
	says("p3", "trek in", "Ingetrokken")
	if r, err := w.fake.Press(context.Background(), "p3", crew, bot.Action{Do: "tag", Round: f.ID, Arg: "quality-speed"}); err != nil || !strings.Contains(plain(r), "Deze keuze ken ik niet") {
		t.Errorf("a tag: %q %v", plain(r), err)
	}
	says("p4", "Ik weet iets", "nog niet bewaard")
	says("p4", "2", "Bewaard")
	if box, err := w.db.Box(context.Background(), f.ID); err != nil || len(box) != 1 {
		t.Errorf("%d ballots, %v", len(box), err)
	}
}

// With a question open as well the bot asks which is meant, by names that differ.
func TestFollowUpBesideAQuestion(t *testing.T) {
	w, _, f := openFollow(t)
	defer w.close()
	ctx := context.Background()
	opens := w.team().NextOpens.Add(-time.Hour) // a manager moved the opening
	w.editTeam(func(t *bot.Team) { t.NextDue, t.NextOpens = opens, opens })
	w.step(opens)
	q := w.openRound(crew)
	typed := func(text string) bot.Response {
		t.Helper()
		_, r, err := w.fake.Type(ctx, "p3", text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	got := plain(typed("waar hoort dit bij"))
	for _, name := range []string{"fake:crew: verder over ", "fake:crew: " + q.Prompt.In("nl").Title} {
		if !strings.Contains(got, name) {
			t.Errorf("%q is not offered:\n%s", name, got)
		}
	}
	if got := plain(typed("1")); !strings.Contains(got, "verder over") { // it closes first
		t.Errorf("%q", got)
	}
	typed("2")
	for person, text := range map[string]string{"p4": "een", "p5": "twee", "p6": "drie", "p7": "vier"} {
		w.answer(person, f.ID, map[string][]string{"text": {"verder " + text}, "share": {"share"}})
	}
	if r, err := w.fake.Press(ctx, "p3", crew, bot.Action{Do: "answer"}); err != nil || !strings.Contains(plain(r), "Welke wil je beantwoorden?") {
		t.Errorf("an answer to no round: %q %v", plain(r), err)
	}
	w.step(f.Closes)
	if given := w.said(gaveOn); len(given) != 1 || !strings.Contains(given[0].Message.Plain(), "waar hoort dit bij") || w.openRound(crew).ID != q.ID {
		t.Errorf("%+v", given)
	}
	if box, err := w.db.Box(ctx, q.ID); err != nil || len(box) != 0 {
		t.Errorf("%d ballots in the other box, %v", len(box), err)
	}
}

// A vote's word stays a vote beside a follow-up, unless it may belong to a draft.
func TestVoteWordBesideAFollowUp(t *testing.T) {
	w, q := openWorld(t, 8)
	defer w.close()
	w.six(q)
	w.editTeam(func(t *bot.Team) { t.SeasonRounds = 12 })
	w.finish(q)
	f := w.followUp()
	vote := w.round(w.team().Vote)
	if !f.Closes.Equal(vote.Closes) {
		t.Errorf("it closes %v, and the opening after the vote is %v", f.Closes, vote.Closes)
	}
	says := func(text, want string) {
		t.Helper()
		if _, r, err := w.fake.Type(context.Background(), "p3", text); err != nil || !strings.Contains(plain(r), want) {
			t.Errorf("after %q: %q %v", text, plain(r), err)
		}
	}
	says("doorgaan", "Genoteerd, zonder naam: Doorgaan.")
	if box, err := w.db.Box(context.Background(), vote.ID); err != nil || len(box) != 1 {
		t.Errorf("%d votes, %v", len(box), err)
	}
	says("een begin", "nog niet bewaard")
	says("stoppen", "nog niet bewaard")
	// The season ends, the team rests; the box closes as it said.
	w.shares(f, 5)
	w.step(f.Closes)
	if len(w.said(gaveOn)) != 1 || w.team().State != bot.TeamResting {
		t.Errorf("%s:\n%s", w.team().State, w.channel(crew))
	}
}

// Where no opening follows, the box stands open for seven days.
func TestFollowUpWithoutAnOpening(t *testing.T) {
	w, q := openWorld(t, 8)
	defer w.close()
	w.six(q)
	w.editTeam(func(t *bot.Team) { t.NextOpens, t.NextDue = time.Time{}, time.Time{} })
	q = w.finish(q)
	f := w.followUp()
	if want := q.GivesBack.AddDate(0, 0, 7); !f.Closes.Equal(want) {
		t.Errorf("closes %v, want %v", f.Closes, want)
	}
	w.shares(f, 5)
	w.step(f.Closes)
	if len(w.said(gaveOn)) != 1 {
		t.Error(w.channel(crew))
	}
}

// After "off" no new box opens, and nothing of it waits.
func TestNoFollowUpOnceItIsOff(t *testing.T) {
	w, q := openWorld(t, 8)
	defer w.close()
	w.six(q)
	if _, err := w.fake.Command(context.Background(), "p1", crew, "uit"); err != nil {
		t.Fatal(err)
	}
	q = w.finish(q)
	w.step(q.GivesBack.Add(time.Second))
	if got := w.round(q.ID); got.State != bot.RoundGivenBack || got.Second || len(w.team().Follows) != 0 {
		t.Errorf("%+v, open: %v", got, w.team().Follows)
	}
}

// With a rhythm of minutes the give-back may come at the very moment of the next opening: then the box stays until the
// opening after it.
func TestFollowUpInMinutes(t *testing.T) {
	w := newWorld(t, func(o *bot.Options) {
		o.Team.Rhythm, o.Team.Cron, o.Team.Window, o.Team.GiveBackAfter = bot.RhythmCustom, "*/6 * * * *", "5m", "1m"
		o.Team.QuietHours, o.Team.WorkdaysOnly, o.Team.Holidays = "", false, nil
	})
	defer w.close()
	w.switchOn(crew, nil)
	w.step(w.team().NextOpens)
	q := w.openRound(crew)
	w.six(q)
	w.step(q.Closes)
	w.step(q.GivesBack)
	f := w.followUp()
	next := w.openRound(crew)
	if !next.Opens.Equal(q.GivesBack) || !f.Closes.Equal(q.GivesBack.Add(6*time.Minute)) {
		t.Fatalf("the next question opens %v; the follow-up of %v closes %v", next.Opens, q.GivesBack, f.Closes)
	}
	w.shares(f, 5)
	w.six(next)
	w.step(next.Closes)
	w.step(f.Closes)
	if len(w.said(gaveOn)) != 1 || w.round(f.ID).State != bot.RoundGivenBack {
		t.Error(w.channel(crew))
	}
	if f := w.followUp(); f.Of != next.ID {
		t.Errorf("%+v", f)
	}
}

// After an incident the give-back of a follow-up waits a week, as others do.
func TestFollowUpAfterAnIncident(t *testing.T) {
	w, _, f := openFollow(t)
	defer w.close()
	w.shares(f, 5)
	if _, err := w.fake.Command(context.Background(), "p3", crew, "pauze na een incident"); err != nil {
		t.Fatal(err)
	}
	w.step(f.Closes)
	w.step(f.Closes.AddDate(0, 0, 6))
	if got := w.round(f.ID); got.State != bot.RoundClosed || len(w.said(gaveOn)) != 0 || got.GivesBack.Before(f.Closes.AddDate(0, 0, 7)) {
		t.Errorf("%+v\n%s", got, w.channel(crew))
	}
	if r, err := w.fake.Command(context.Background(), "p3", crew, "status"); err != nil || !strings.Contains(plain(r), "De vraag om verder te denken is dicht.") {
		t.Errorf("%q %v", plain(r), err)
	}
	w.step(w.round(f.ID).GivesBack)
	if len(w.said(gaveOn)) != 1 {
		t.Error(w.channel(crew))
	}
}

// A code takes a shared text away, and the give-back below is written anew; held texts stay, beyond their time.
func TestFollowUpRemovedAndHeld(t *testing.T) {
	w, q, f := openFollow(t)
	defer w.close()
	ctx := context.Background()
	codes := w.shares(f, 5)
	w.editTeam(func(t *bot.Team) { t.SkipNext = true })
	if got := w.take(codes["p2"]); !strings.Contains(got, "kan ik niets weghalen") {
		t.Errorf("too early: %q", got)
	}
	w.step(f.Closes)
	if got := w.take(codes["p2"]); !strings.Contains(got, "Weggehaald") {
		t.Error(got)
	}
	w.step(f.Closes.Add(time.Minute))
	if all := w.channel(crew); strings.Contains(all, "verder volgens p2") || !strings.Contains(all, "verder volgens p3") || !strings.Contains(all, "quote van p2") {
		t.Error(all)
	}
	const by = bot.ActorID("operator:console")
	for range 2 {
		if err := bot.Hold(ctx, w.db, crew, q.Number, true, by, f.Closes); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := bot.KeptRounds(ctx, w.db)
	if err != nil || len(kept) != 2 || !kept[0].Held || !kept[1].Held || kept[0].Title == kept[1].Title {
		t.Errorf("%+v %v", kept, err)
	}
	w.step(f.Closes.Add(time.Hour))
	if p := w.said("De wet vraagt om antwoorden op"); len(p) != 2 {
		t.Errorf("the channel hears it %d times", len(p))
	}
	if got := w.take(codes["p3"]); !strings.Contains(got, "De wet vraagt om deze antwoorden te bewaren") {
		t.Error(got)
	}
	w.step(w.round(f.ID).Keep.Add(time.Hour))
	if shelf, err := w.db.Shelf(ctx, f.ID); err != nil || len(shelf) != 4 {
		t.Errorf("%d held, %v", len(shelf), err)
	}
	if err := bot.Hold(ctx, w.db, crew, q.Number, false, by, time.Now()); err != nil {
		t.Fatal(err)
	}
	w.step(w.round(f.ID).Keep.Add(2 * time.Hour))
	if shelf, err := w.db.Shelf(ctx, f.ID); err != nil || len(shelf) != 0 {
		t.Errorf("%d afterwards, %v", len(shelf), err)
	}
}

// A follow-up whose keys are gone ends as lost, told below its give-back; one whose channel is gone is destroyed unread.
func TestFollowUpLost(t *testing.T) {
	t.Run("keys", func(t *testing.T) {
		w, _, f := openFollow(t)
		defer func() { w.close() }()
		w.shares(f, 5)
		if err := w.keys.Destroy(context.Background(), string(f.ID)+".ballot"); err != nil {
			t.Fatal(err)
		}
		w.close()
		w.open()
		w.step(f.Closes)
		if p := w.said("kan niemand meer openen"); len(p) != 1 || p[0].Thread == "" || w.round(f.ID).State != bot.RoundLost || len(w.team().Follows) != 0 {
			t.Errorf("%s:\n%s", w.round(f.ID).State, w.channel(crew))
		}
	})
	t.Run("channel", func(t *testing.T) {
		w, _, f := openFollow(t)
		defer w.close()
		w.shares(f, 5)
		if _, err := w.fake.Send(context.Background(), bot.ChannelGone{Key: "gone", Team: crew}); err != nil {
			t.Fatal(err)
		}
		w.step(f.Closes)
		if box, err := w.db.Box(context.Background(), f.ID); w.round(f.ID).State != bot.RoundLost || len(box) != 0 || !errors.Is(err, bot.ErrNotFound) || len(w.said(gaveOn)) != 0 {
			t.Errorf("%s, %d ballots, %v", w.round(f.ID).State, len(box), err)
		}
	})
}

// What a member is told of it: that it is open, not whether they answered; the export holds what the channel saw.
func TestFollowUpIsTold(t *testing.T) {
	w, q, f := openFollow(t)
	defer w.close()
	ctx := context.Background()
	ask := func(person, word string) string {
		t.Helper()
		r, err := w.fake.Command(ctx, person, crew, word)
		if err != nil {
			t.Fatal(err)
		}
		return plain(r)
	}
	before := ask("p2", "mij")
	if !strings.Contains(before, "er is een vraag open tot") || !strings.Contains(ask("p2", "status"), "De vraag om verder te denken is open tot") {
		t.Errorf("%s\n%s", before, ask("p2", "status"))
	}
	w.shares(f, 5)
	if ask("p2", "mij") != before || ask("p8", "mij") != before {
		t.Error("who answered is told something else than who did not")
	}
	w.step(f.Closes)
	seen, err := w.bot.Export(ctx, crew)
	if err != nil {
		t.Fatal(err)
	}
	var of []bot.SeenKind
	for _, s := range seen {
		if s.Round == q.Number {
			of = append(of, s.What)
		}
	}
	want := []bot.SeenKind{bot.SeenQuestion, bot.SeenGiveBack, bot.SeenQuotes, bot.SeenGuide, bot.SeenFollow, bot.SeenQuotes}
	if !slices.Equal(of, want) {
		t.Errorf("exported %v, want %v", of, want)
	}
}

// What may lead to a person, and something heavy, is looked for in a follow-up as in any reply.
func TestFollowUpHints(t *testing.T) {
	w, _, f := openFollow(t)
	defer w.close()
	send := func(person, text string) bot.Response {
		t.Helper()
		return w.answer(person, f.ID, map[string][]string{"text": {text}, "share": {"share"}})
	}
	for _, text := range []string{"Bel maar op 06-12345678.", "Vraag het aan Person 4."} {
		first := send("p7", text)
		if first.Form == nil || first.Errors["text"] == "" {
			t.Errorf("%q: its author is not told: %s", text, plain(first))
		}
		time.Sleep(time.Millisecond)
		if again := send("p7", text); !strings.Contains(plain(again), "Bewaard") {
			t.Errorf("%q is not taken: %s", text, plain(again))
		}
	}
	heavy := send("p8", "Ik wil niet meer leven.")
	if heavy.Form == nil || len(heavy.Form.Notice) == 0 || heavy.Errors["share"] == "" {
		t.Errorf("no card: %s", plain(heavy))
	}
	w.shares(f, 4)
	w.step(f.Closes)
	if all := w.channel(crew); strings.Contains(all, "Person 4") || strings.Contains(all, "0612") || len(w.said(gaveOn)) != 1 || strings.Contains(all, "niet meer leven") {
		t.Error(all) // it counts towards five, and is not quoted
	}
}

// A backup put back says of a follow-up what it says of a question: on the machine that has its keys it goes on, elsewhere it is
// lost. One that was still to be asked is not asked anew.
func TestFollowUpRestored(t *testing.T) {
	for name, same := range map[string]bool{"on the same machine": true, "elsewhere": false} {
		t.Run(name, func(t *testing.T) {
			w, q, f := openFollow(t)
			w.shares(f, 5)
			err := w.db.UpdateRound(context.Background(), q.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
				r.Second = true // as between the give-back and its follow-up
				return bot.Also{}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			k := w.backup()
			w.close()
			stood := len(w.fake.Posts(crew))
			w = w.restore(k, same)
			defer w.close()
			w.editTeam(func(t *bot.Team) { t.SkipNext = true })
			w.step(f.Closes)
			want := bot.RoundLost
			if same {
				want = bot.RoundGivenBack
			}
			if got := w.round(f.ID); got.State != want || w.round(q.ID).Second || len(w.team().Follows) != 0 {
				t.Errorf("%s, and %d stand open", got.State, len(w.team().Follows))
			}
			if said := w.fake.Posts(crew)[stood:]; len(said) != 1 || same != (len(w.said(gaveOn)) == 1) || !same && len(w.said("kan niemand meer openen")) != 1 {
				t.Errorf("%d posts\n%s", len(said), w.channel(crew))
			}
		})
	}
}

// Trying the product out, the next question comes after the follow-up has been given back.
func TestFollowUpAdvanced(t *testing.T) {
	w, q, f := openFollow(t)
	defer w.close()
	w.shares(f, 5)
	now := w.fake.Now()
	if err := w.bot.Advance(context.Background(), crew, now); err != nil {
		t.Fatal(err)
	}
	w.step(now)
	if got := w.round(f.ID); got.State != bot.RoundGivenBack || len(w.said(gaveOn)) != 1 || w.openRound(crew).ID == q.ID {
		t.Errorf("%s\n%s", got.State, w.channel(crew))
	}
}

// A ballot of a follow-up that does not open stops that follow-up alone: the next question opens, and its own follow-up after it.
func TestAFollowUpThatDoesNotOpen(t *testing.T) {
	w, _, f := openFollow(t)
	defer w.close()
	ctx := context.Background()
	w.shares(f, 5)
	box, err := w.db.Box(ctx, f.ID)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := slices.Clone(box[0].Sealed)
	spoilt[0] ^= 1
	err = w.db.Cast(ctx, f.ID, box[0].Address, func(bot.Slip) (bot.Slip, error) { return bot.Slip{Ballot: spoilt}, nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		w.step(f.Closes.Add(time.Duration(i) * 10 * time.Second))
	}
	if left, err := w.db.Box(ctx, f.ID); err != nil || len(left) != 5 || w.bot.Healthy() == nil || w.round(f.ID).State != bot.RoundClosing {
		t.Errorf("%d ballots left, %s, healthy: %v, %v", len(left), w.round(f.ID).State, w.bot.Healthy(), err)
	}
	next := w.openRound(crew)
	w.six(next)
	w.finish(next)
	if all := w.team().Follows; len(all) != 2 || all[0] != f.ID || w.round(all[1]).Of != next.ID {
		t.Fatalf("%v", all)
	}
	w.shares(w.round(w.team().Follows[1]), 5)
	w.step(w.round(w.team().Follows[1]).Closes)
	if len(w.said(gaveOn)) != 1 || len(w.team().Follows) != 1 {
		t.Error(w.channel(crew))
	}
}

// What one person gives to both boxes stands in no telling order: of six people who answer both in one order, about one stands at
// the same place in both give-backs, as chance has it, and not all six.
func TestNothingLinksTheTwoBoxes(t *testing.T) {
	const runs = 10
	same := 0
	for range runs {
		w, _, f := openFollow(t)
		w.shares(f, 6)
		w.step(f.Closes)
		order := func(post, words string) (people []string) {
			for line := range strings.Lines(w.said(post)[0].Message.Plain()) {
				if who, ok := strings.CutPrefix(strings.TrimSpace(line), words); ok {
					people = append(people, who)
				}
			}
			if len(people) != 6 {
				t.Fatalf("%q", people)
			}
			return people
		}
		first, second := order("Alle antwoorden die gedeeld mogen worden, door elkaar:", "> quote van "), order(gaveOn, "> verder volgens ")
		for i := range first {
			if first[i] == second[i] {
				same++
			}
		}
		w.close()
	}
	if same > 3*runs { // expected ten, with a deviation of about three
		t.Errorf("%d of %d at the same place", same, 6*runs)
	}
}

// Back at two at night, the box closes at once and its give-back waits for the morning.
func TestFollowUpAtNight(t *testing.T) {
	w, _, f := openFollow(t)
	defer w.close()
	w.editTeam(func(t *bot.Team) { t.SkipNext = true })
	w.shares(f, 5)
	night := f.Closes.Add(16 * time.Hour)
	before := len(w.fake.Posts(crew))
	w.step(night)
	if box, err := w.db.Box(context.Background(), f.ID); len(box) != 0 || !errors.Is(err, bot.ErrNotFound) || len(w.fake.Posts(crew)) != before {
		t.Errorf("%d ballots, %v; %d posts at %v", len(box), err, len(w.fake.Posts(crew))-before, night)
	}
	w.step(night.Add(7 * time.Hour))
	if len(w.said(gaveOn)) != 1 {
		t.Error(w.channel(crew))
	}
}
