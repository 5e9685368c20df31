package bot_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
)

// What a large team shares does not fit in one message of a platform: it stands in as many as it needs, each once, and what is
// taken away goes from all of them.
func TestLongThread(t *testing.T) {
	w, r := openWorld(t, 30)
	defer w.close()
	ctx := context.Background()
	codes := map[int]string{}
	for i := 1; i <= 30; i++ {
		text := fmt.Sprintf("Antwoord-%d. ", i) + strings.TrimSpace(strings.Repeat("Zo ging het die dag. ", 60))
		out := plain(w.answer(fmt.Sprintf("p%d", i), r.ID, map[string][]string{"text": {text}, "share": {"share"}}))
		_, after, _ := strings.Cut(out, "deze code: ")
		codes[i] = after[:19]
	}
	r = w.finish(r)
	if r.Pages < 4 {
		t.Errorf("%d pages", r.Pages)
	}
	pages := func() (all []string) {
		root := bot.Ref("")
		for _, p := range w.fake.Posts(crew) {
			if strings.Contains(p.Message.Plain(), "Terugblik") && p.Thread == "" {
				root = p.Ref
			}
			if p.Thread != "" && p.Thread == root && !strings.Contains(p.Message.Plain(), "Een kwartier") && !strings.Contains(p.Message.Plain(), "in de draad") {
				all = append(all, p.Message.Plain())
			}
		}
		return all
	}
	once := func(gone int) {
		t.Helper()
		all := pages()
		if len(all) != r.Pages {
			t.Errorf("%d messages, not %d", len(all), r.Pages)
		}
		for i := 1; i <= 30; i++ {
			want := 1
			if i <= gone {
				want = 0
			}
			if n := strings.Count(strings.Join(all, "\n"), fmt.Sprintf("Antwoord-%d.", i)); n != want {
				t.Errorf("answer %d stands there %d times", i, n)
			}
		}
		for _, page := range all {
			if len(page) > 11_000 {
				t.Errorf("a message of %d characters", len(page))
			}
		}
	}
	once(0)
	at := r.GivesBack.Add(time.Hour)
	for gone := 1; gone <= 24; gone++ {
		if got := w.take(codes[gone]); !strings.Contains(got, "Weggehaald") {
			t.Fatal(got)
		}
		if gone%8 != 0 {
			continue
		}
		for range 3 {
			if _, err := w.bot.Send(ctx, at); err != nil {
				t.Fatal(err)
			}
		}
		once(gone)
	}
	if all := pages(); !strings.Contains(all[len(all)-1], "hierboven") {
		t.Errorf("the last message: %s", all[len(all)-1])
	}
}
