package bot_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

func (w *world) restart() { w.close(); w.open() }

func (w *world) four(r bot.Round) {
	for i, p := range []string{"p3", "p4", "p5", "p6"} {
		w.answer(p, r.ID, map[string][]string{"text": {fmt.Sprintf("gewone woorden %d", i)}, "share": {"share"}})
	}
}

func (w *world) types(person, text string) string {
	w.t.Helper()
	_, r, err := w.fake.Type(context.Background(), person, text)
	if err != nil {
		w.t.Fatal(err)
	}
	return plain(r)
}

func (w *world) addRoos(teams ...bot.TeamID) {
	w.fake.Add(chattest.Person{ID: "p9", Name: "Roos Vermeulen", Lang: prompts.Dutch, Channels: teams})
}

type roster struct {
	*chattest.Fake
	err  error
	hang chan struct{}
}

func (r *roster) Names(ctx context.Context, team bot.TeamID) ([]string, error) {
	if r.err != nil {
		err := r.err
		r.err = nil
		return nil, err
	}
	if r.hang != nil {
		<-r.hang
	}
	return r.Fake.Names(ctx, team)
}

type heldAtCreate struct {
	bot.Keys
	do func()
}

func (k *heldAtCreate) Create(ctx context.Context, slots ...bot.KeySlot) error {
	if len(slots) == 1 && strings.HasSuffix(slots[0].Name, ".removed") {
		k.do()
	}
	return k.Keys.Create(ctx, slots...)
}

type heldAtDestroy struct {
	bot.Keys
	do   func()
	once sync.Once // rounds are taken side by side
}

func (k *heldAtDestroy) Destroy(ctx context.Context, names ...string) error {
	if len(names) == 1 && strings.HasSuffix(names[0], ".shelf") {
		k.once.Do(k.do)
	}
	return k.Keys.Destroy(ctx, names...)
}

// The same words again, in the place of a reply that is withheld, are withheld again and their author is told.
func TestTheSameWordsKeepTheirMark(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.four(r)
	w.types("p2", phoneWords)
	t.Log(w.types("p2", "2"))
	w.types("p2", phoneWords)
	w.types("p2", "vervangen")
	out := w.types("p2", "2")
	t.Log(out)
	w.finish(r)
	if said := w.channel(crew); strings.Contains(said, "06-12345678") {
		t.Errorf("the phone number stands in the channel; author told withheld: %v", strings.Contains(out, "deel ik niet"))
	}
}

// Somebody of the channel is known after a restart too, when a draft becomes a reply.
func TestAMemberIsKnownAfterARestart(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.addRoos(crew)
	t.Log(w.types("p2", "Volgens Roos Vermeulen mag het."))
	w.restart()
	w.fake.Use(w.bot.Handle)
	out := w.types("p2", "2")
	t.Log(out)
	w.four(r)
	w.finish(r)
	if said := w.channel(crew); strings.Contains(said, "Roos Vermeulen") {
		t.Errorf("the name stands in the channel; author told withheld: %v", strings.Contains(out, "deel ik niet"))
	}
}

// A deletion of another part after a restart leaves the mark.
func TestADeletionKeepsTheMark(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.addRoos(crew)
	w.types("p2", "Volgens Roos Vermeulen mag het.")
	id, _, _ := w.fake.Type(context.Background(), "p2", "En meer niet.")
	t.Log(w.types("p2", "2"))
	w.restart()
	resp, err := w.fake.Send(context.Background(), bot.ReplyWithdrawn{From: w.fake.From("p2", ""), Message: id})
	t.Log(plain(resp), err)
	w.four(r)
	w.finish(r)
	if said := w.channel(crew); strings.Contains(said, "Roos Vermeulen") {
		t.Errorf("the name stands in the channel")
	}
}

// With two rounds open, the names are those of the channel that was chosen.
func TestTheNamesOfTheChosenRound(t *testing.T) {
	const other = bot.TeamID("fake:other")
	w, r := openWorld(t, 8, other)
	defer w.close()
	w.addRoos(crew, other)
	ctx := context.Background()
	t.Log(w.types("p2", "Volgens Roos Vermeulen mag het."))
	for _, id := range []bot.RoundID{w.openRound(crew).ID, w.openRound(other).ID} {
		_ = id
	}
	// pick the second in the list
	t.Log(w.types("p2", "2"))
	out := w.types("p2", "2")
	t.Log(out)
	_, _ = r, ctx
	if !strings.Contains(out, "deel ik niet") {
		t.Errorf("not withheld: %s", out)
	}
}

// A platform that refuses the names once is asked again.
func TestNamesAreAskedAgain(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.addRoos(crew)
	ro := &roster{Fake: w.fake, err: errors.New("429")}
	w.through(w.db, ro)
	text := map[string][]string{"text": {"Volgens Roos Vermeulen mag het."}, "share": {"share"}}
	w.form("p3", r, time.Now(), "", map[string][]string{"text": {"iets"}, "share": {"share"}})
	out := w.form("p2", r, time.Now(), "", text) // the platform answers again
	if out.Form == nil {
		t.Errorf("after one 429: kept without hint: %s", plain(out))
	}
}

// A label typed after "something else" passes the card, and its author is told what it does to the text.
func TestATypedLabelIsLookedAt(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.four(r)
	w.types("p2", "gewoon mijn verhaal")
	t.Log(w.types("p2", "2"))
	out := w.types("p2", "iets anders: bel Ans 06-12345678")
	t.Log(out)
	told := strings.Contains(out, "deel ik niet")
	w.types("p7", "iets")
	w.types("p7", "1")
	heavy := w.types("p7", "iets anders: ik wil dood")
	w.finish(r)
	if said := w.channel(crew); !strings.Contains(said, "gewoon mijn verhaal") && !told {
		t.Errorf("the text is withheld and its author was told nothing but %q", out)
	}
	if !strings.Contains(heavy, "113") {
		t.Errorf("heavy words sealed without the card: %q", heavy)
	}
}

// A heavy message that was kept and comes again after a restart is not called refused.
func TestAHeavyMessageThatComesAgain(t *testing.T) {
	for _, how := range []string{"strike", "edit"} {
		w, r := openWorld(t, 8)
		ctx := context.Background()
		text := heavyWords + " Bel 06-12345678."
		w.types("p2", text)
		e := bot.DirectReply{From: w.fake.From("p2", ""), Text: bot.ReplyText(text), Message: "m-x"}
		w.fake.Send(ctx, e)
		if how == "strike" {
			w.types("p2", "streep weg")
		}
		w.types("p2", "2")
		if how == "edit" {
			ed := bot.DirectReply{From: w.fake.From("p2", ""), Text: "Toch iets heel gewoons.", Message: "m-x", Edited: true}
			w.fake.Send(ctx, ed)
		}
		w.restart()
		again, err := w.fake.Send(ctx, e)
		if strings.Contains(plain(again), "Ik heb dit niet bewaard") && w.ballots(r) == 1 {
			t.Errorf("%s: told not kept while %d kept: %v", how, w.ballots(r), err)
		}
		w.close()
	}
}

// What is said over two messages brings up the card as in one.
func TestHeavyOverTwoMessages(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	one, two := "ik zie het allemaal", "niet meer zitten"
	if f := w.form("p3", r, time.Now(), "", map[string][]string{"text": {one + "\n" + two}, "share": {"count"}}); f.Form == nil {
		t.Fatal("no card in the form either")
	}
	a, b, c := w.types("p2", one), w.types("p2", two), w.types("p2", "2")
	if !strings.Contains(a+b+c, "113") {
		t.Errorf("sealed without card: %s", c)
	}
}

// A choice for what was not kept becomes no words of a reply.
func TestAChoiceAfterTheCard(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.four(r)
	w.types("p2", heavyWords)
	t.Log(w.types("p2", "2"))
	w.types("p2", heavyWords)
	w.types("p2", "2")
	w.finish(r)
	if said := w.channel(crew); strings.Contains(said, "> 2\n") {
		t.Errorf("the choice stands in the quote: %s", said[strings.Index(said, "> 2\n"):][:60])
	}
}

// A card that was shown by a clock that is ahead keeps nobody from their form.
func TestClocksApartAreNoLoop(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	f := w.fake.From("p2", "")
	at := f.At
	f.At = at.Add(5 * time.Minute)
	w.fake.Send(context.Background(), bot.DirectReply{From: f, Text: heavyWords, Message: "m1"})
	n := 0
	for i := range 5 {
		if resp := w.form("p2", r, at.Add(time.Duration(i+1)*50*time.Second), "", map[string][]string{"text": {heavyWords}, "share": {"count"}}); resp.Form != nil {
			n++
		}
	}
	if n > 1 {
		t.Errorf("the same form was turned back %d times in a row", n)
	}
}

// A hold that comes while a code removes: the reply stays, and no slot says otherwise.
func TestAHoldWhileACodeRemoves(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	codes := w.six(r)
	got := w.finish(r)
	ctx := context.Background()
	var held error
	o := w.o
	o.Store, o.Chats = w.db, []bot.Chat{w.fake}
	o.Keys = &heldAtCreate{w.keys, func() { held = bot.Hold(ctx, w.db, crew, r.Number, true, "operator:x", got.GivesBack) }}
	b, err := bot.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.fake.Use(b.Handle)
	said := w.take(codes["p2"])
	shelf, _ := w.db.Shelf(ctx, r.ID)
	if held == nil && len(shelf) == 5 {
		t.Errorf("held, and removed afterwards: %q, %d on the shelf", said, len(shelf))
	}
}

// A removal that a crash cut off waits for the end of a hold.
func TestAHoldAfterACutRemoval(t *testing.T) { chattest.Bubble(t, holdAfterACutRemoval) }

func holdAfterACutRemoval(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	codes := w.six(r)
	got := w.finish(r)
	ctx := context.Background()
	h := sha256.Sum256([]byte(strings.ReplaceAll(codes["p2"], "-", "")))
	if err := w.keys.Create(ctx, bot.KeySlot{Name: fmt.Sprintf("%s-%x.removed", r.ID, h[:16]), Key: h[:]}); err != nil {
		t.Fatal(err)
	}
	if err := bot.Hold(ctx, w.db, crew, r.Number, true, "operator:x", got.GivesBack); err != nil {
		t.Fatal(err)
	}
	w.run()
	synctest.Wait()
	shelf, _ := w.db.Shelf(ctx, r.ID)
	if len(shelf) == 5 {
		t.Errorf("(only if its author was told 'later'): a start removed a reply of a held round")
	}
}

// A hold that comes while retention ends is refused.
func TestAHoldWhileRetentionEnds(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.six(r)
	got := w.finish(r)
	ctx := context.Background()
	var held error = errors.New("not called")
	o := w.o
	o.Store, o.Chats = w.db, []bot.Chat{w.fake}
	o.Keys = &heldAtDestroy{Keys: w.keys, do: func() { held = bot.Hold(ctx, w.db, crew, r.Number, true, "operator:console", got.Keep) }}
	b, err := bot.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Step(ctx, got.Keep); err != nil {
		t.Fatal(err)
	}
	b.Send(ctx, got.Keep)
	shelf, _ := w.db.Shelf(ctx, r.ID)
	after, _ := w.db.Round(ctx, r.ID)
	if held == nil && len(shelf) == 0 {
		t.Errorf("hold succeeded, channel told %v, shelf %d, Held=%v Keep zero=%v", strings.Contains(w.channel(crew), "De wet vraagt"), len(shelf), after.Held, after.Keep.IsZero())
	}
}

// A round that closes just as a form is looked at says so.
func TestClosedJustBeforeTheCard(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	w.form("p3", r, time.Now(), "", map[string][]string{"text": {"iets"}, "share": {"count"}})
	w.db.UpdateRound(ctx, r.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) { r.State = bot.RoundClosing; return bot.Also{}, nil })
	for _, text := range []string{heavyWords, "gewoon"} {
		f := w.fake.From("p2", crew)
		resp, err := w.fake.Send(ctx, bot.FormSubmitted{From: f, Form: "reply", State: string(r.ID), Values: map[string][]string{"text": {text}, "share": {"share"}}})
		t.Logf("%q: %q %v", text, plain(resp), err)
		if resp.Message == nil {
			t.Errorf("%q got no answer, only %v", text, err)
		}
	}
}

// Striking out makes no value longer than its field.
func TestStrikingFitsTheField(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	text := strings.Repeat("@abc ", 295)
	other := strings.TrimSpace(strings.Repeat("@ab ", 15))
	f := w.form("p2", r, time.Now(), "strike", map[string][]string{"text": {text}, "other": {other}, "tags": {"other"}, "share": {"share"}})
	for _, n := range []string{"text", "other"} {
		fd := field(t, f.Form, n)
		if got := utf8.RuneCountInString(fd.Value[0]); fd.Max > 0 && got > fd.Max {
			t.Errorf("field %s holds %d characters, at most %d; errors %v", n, got, fd.Max, f.Errors)
		}
	}
}
