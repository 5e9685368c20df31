package bot_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

type graded struct {
	id, setting, text string
	lang              prompts.Lang
	primary           prompts.TensionID
}

func gradedReplies(t testing.TB) []graded {
	raw, err := os.ReadFile("testdata/tensions.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var all []graded
	for line := range strings.Lines(string(raw)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if f[0] != "id" {
			all = append(all, graded{f[0], f[2], f[5], prompts.Lang(f[1]), prompts.TensionID(f[3])})
		}
	}
	return all
}

func TestMeasure(t *testing.T) {
	x := bot.NewLexicon(*library(t))
	type sum struct{ n, first, two, strict, strictRight, relaxed, relaxedRight, lang int }
	sums := map[string]*sum{}
	var about, none []float64
	for _, g := range gradedReplies(t) {
		ev, _ := x.Score(context.Background(), g.text, "nl")
		for _, key := range []string{g.setting, g.setting + "/" + string(g.lang)} {
			s := sums[key]
			if s == nil {
				s = &sum{}
				sums[key] = s
			}
			s.n++
			if bot.TextLang(g.text, "nl") == g.lang {
				s.lang++
			}
			right := ev[0].Tension == g.primary
			if right {
				s.first++
			}
			if right || ev[1].Tension == g.primary {
				s.two++
			}
			if bot.Strict.Speaks(ev) {
				s.strict++
				if right {
					s.strictRight++
				}
			}
			if bot.Relaxed.Speaks(ev) {
				s.relaxed++
				if right {
					s.relaxedRight++
				}
			}
		}
		switch g.setting {
		case "indirect", "indirect2":
			about = append(about, ev[0].Score)
		case "none", "none2":
			none = append(none, ev[0].Score)
		}
		if testing.Verbose() {
			var words []string
			for _, r := range ev[0].Reasons {
				words = append(words, r.In(g.text))
			}
			t.Logf("%s %-9s %-20s %.2f %-20s %.2f %-20s %q", g.id, g.setting, g.primary, ev[0].Score, ev[0].Tension, ev[1].Score, ev[1].Tension, words)
		}
	}
	var wins float64
	for _, a := range about {
		for _, b := range none {
			if a > b {
				wins++
			} else if a == b {
				wins += .5
			}
		}
	}
	t.Logf("AUC %.3f", wins/float64(len(about)*len(none)))
	for k, s := range sums {
		t.Logf("%-12s %+v", k, *s)
	}
}
