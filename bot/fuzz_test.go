package bot_test

import (
	"context"
	"strings"
	"testing"
	"unicode"

	"github.com/weerklank/weerklank/bot"
)

// Whatever somebody types, twice, edits and deletes: an answer comes back, nothing breaks, at most one ballot lies there,
// and nothing counts before its author chose.
func FuzzTyped(f *testing.F) {
	for _, s := range []string{"help", "1", "2", "1 3", "iets anders het rooster", "raakt mij niet", "trek in", "> help", "verwijder AAAA-BBBB", "/weerklank", "@weerklank",
		"pauze na een incident", "\u202eomgekeerd\u200b", "👍", "a\r\nb", "\xff\xfe", "erbij", "vervangen", strings.Repeat("woord ", 300), "6 ", "iets anders ", "..."} {
		f.Add(s, "2", "erbij")
	}
	w, r := openWorld(f, 8)
	f.Cleanup(w.close)
	ctx := context.Background()
	f.Fuzz(func(t *testing.T, one, two, three string) {
		var ids []string
		for _, text := range []string{one, two, three, one} {
			id, resp, err := w.fake.Type(ctx, "p2", text)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if resp.Message == nil && resp.Form == nil {
				t.Errorf("%q: no answer", text)
			}
			ids = append(ids, id)
		}
		if _, err := w.fake.Send(ctx, bot.DirectReply{From: w.fake.From("p2", ""), Text: bot.ReplyText(three), Message: ids[0], Edited: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.fake.Command(ctx, "p2", crew, one); err != nil {
			t.Fatal(err)
		}
		if box, err := w.db.Box(ctx, r.ID); err != nil || len(box) > 1 {
			t.Fatalf("%d ballots, %v", len(box), err)
		}
		for _, id := range ids {
			if _, err := w.fake.Send(ctx, bot.ReplyWithdrawn{From: w.fake.From("p2", ""), Message: id}); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := w.fake.Type(ctx, "p2", "voor mezelf"); err != nil { // whatever waits ends here
			t.Fatal(err)
		}
		w.fake.Type(ctx, "p2", "trek in")
		if box, err := w.db.Box(ctx, r.ID); err != nil || len(box) > 0 {
			t.Fatalf("%d ballots after withdrawing, %v", len(box), err)
		}
	})
}

// Whatever stands in a form: kept or refused with the words returned, and a quote of it holds nothing that hides.
func FuzzForm(f *testing.F) {
	f.Add("tekst", "a", "quality-speed", "", "share")
	f.Add("\u202e\u2066x\u200b\nGroet, Jan", "b", "other", "het rooster", "count")
	f.Add(strings.Repeat("é", 1500), "nonsense", "none", "x", "self")
	w, r := openWorld(f, 8)
	f.Cleanup(w.close)
	ctx := context.Background()
	lib := library(f)
	f.Fuzz(func(t *testing.T, text, stance, tag, other, share string) {
		values := map[string][]string{"text": {text}, "stance": {stance}, "tags": {tag}, "other": {other}, "share": {share}}
		resp, err := w.fake.Send(ctx, bot.FormSubmitted{From: w.fake.From("p3", crew), Form: "reply", State: string(r.ID), Values: values})
		if err != nil || resp.Message == nil && resp.Form == nil {
			t.Fatalf("%v %+v", err, resp)
		}
		if resp.Form != nil && (len(resp.Errors) == 0 || resp.Form.Fields[0].Value[0] != text) {
			t.Errorf("refused without a reason, or without the words: %v", resp.Errors)
		}
		given := bot.GiveBack(counts{a: 5, min: 5}.round(lib, "nl", verge, 0), []bot.Reply{{ID: "1", Text: bot.ReplyText(text)}}, lib, nil)
		if given.Thread == nil {
			return
		}
		quote := given.Thread[0].Blocks[1].Spans[0].Text
		if resp.Form == nil && strings.ContainsFunc(quote, func(r rune) bool { return unicode.Is(unicode.So, r) || r >= 0x1f000 && r < 0x20000 }) {
			t.Errorf("a picture is left in %q", quote)
		}
	})
}
