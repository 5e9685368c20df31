package bot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
)

// Held replies outlive retention, and go on their day once nothing holds them; the channel is told of both, an open round
// has nothing to hold (TRUST P6). A receipt code takes nothing of them away meanwhile, and says why; afterwards it works.
func TestHold(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	codes := map[string]string{}
	for i := range 5 {
		p := fmt.Sprintf("p%d", i+1)
		out := plain(w.answer(p, r.ID, map[string][]string{"text": {"blijft langer " + p}, "share": {"share"}}))
		_, after, _ := strings.Cut(out, "deze code: ")
		codes[p] = after[:19]
	}
	remove := func(code, want string) {
		t.Helper()
		resp, err := w.fake.Command(ctx, "p8", crew, "verwijder "+code)
		if err != nil || !strings.Contains(plain(resp), want) {
			t.Errorf("remove: %q, want %q, %v", plain(resp), want, err)
		}
	}
	removed := func() (n int) {
		t.Helper()
		slots, err := w.keys.Slots(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range slots {
			if strings.HasSuffix(name, ".removed") {
				n++
			}
		}
		return n
	}
	const by = bot.ActorID("operator:console")
	if err := bot.Hold(ctx, w.db, crew, r.Number, true, by, r.Opens); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("an open round was held: %v", err)
	}
	got := w.finish(r)
	hold := func(on bool) {
		t.Helper()
		for range 2 { // the second changes nothing
			if err := bot.Hold(ctx, w.db, crew, r.Number, on, by, got.GivesBack); err != nil {
				t.Fatal(err)
			}
		}
	}
	shelf := func(days, want int) {
		t.Helper()
		if _, err := w.bot.Step(ctx, got.Closes.AddDate(0, 0, days)); err != nil {
			t.Fatal(err)
		}
		if shelf, err := w.db.Shelf(ctx, r.ID); err != nil || len(shelf) != want {
			t.Errorf("after %d days: %d on the shelf, want %d, %v", days, len(shelf), want, err)
		}
		if _, err := w.keys.Open(ctx, string(r.ID)+".shelf"); (err == nil) != (want > 0) {
			t.Errorf("after %d days the key: %v", days, err)
		}
	}
	hold(true)
	if kept, err := bot.KeptRounds(ctx, w.db); err != nil || len(kept) != 1 || !kept[0].Held || kept[0].Number != r.Number {
		t.Errorf("%+v %v", kept, err)
	}
	shelf(91, 5)
	remove(codes["p2"], "De wet vraagt om deze antwoorden te bewaren")
	remove("AAAA-BBBB-CCCC-DDDD", "kan ik niets weghalen")
	if removed() != 0 {
		t.Error("a refused code left a key slot, and the next start would remove the reply")
	}
	w.close()
	w.open()
	w.run()
	w.close()
	w.open()
	shelf(800, 5)
	remove(codes["p2"], "De wet vraagt om deze antwoorden te bewaren")
	hold(false)
	remove(codes["p2"], "Weggehaald")
	remove(codes["p2"], "kan ik niets weghalen")
	if _, err := w.bot.Send(ctx, got.Closes.AddDate(0, 0, 800)); err != nil {
		t.Fatal(err)
	}
	if all := w.channel(crew); strings.Contains(all, "blijft langer p2") || !strings.Contains(all, "blijft langer p3") {
		t.Errorf("after the hold the code took nothing away:\n%s", all)
	}
	shelf(801, 0)
	remove(codes["p3"], "kan ik niets weghalen")
	if kept, err := bot.KeptRounds(ctx, w.db); err != nil || len(kept) != 0 {
		t.Errorf("%+v %v", kept, err)
	}
	if err := bot.Hold(ctx, w.db, crew, r.Number, true, by, got.Closes); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("what is erased was held: %v", err)
	}
	if _, err := w.bot.Send(ctx, got.Closes.AddDate(0, 0, 801)); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, p := range w.fake.Posts(crew) {
		if text := p.First.Plain(); strings.Contains(text, "De wet vraagt") || strings.Contains(text, "hoeven niet langer") {
			said = append(said, text)
		}
	}
	if len(said) != 2 || !strings.Contains(said[0], "De wet vraagt") {
		t.Errorf("the channel heard: %q", said)
	}
}
