package bot_test

import (
	"maps"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

func evidence(best, second float64, reasons int) []bot.Evidence {
	return []bot.Evidence{{Tension: "a", Score: best, Reasons: make([]bot.Range, reasons)}, {Tension: "b", Score: second}}
}

func TestModesSpeak(t *testing.T) {
	for _, c := range []struct {
		found           []bot.Evidence
		strict, relaxed bool
	}{
		{evidence(2.5, 1.9, 1), true, true},
		{evidence(2.49, 0, 1), false, true},
		{evidence(9, 8.5, 1), false, true},
		{evidence(9, 0, 0), false, false},
		{evidence(1, 1, 1), false, true},
		{evidence(.99, 0, 3), false, false},
		{evidence(2.5, 0, 1)[:1], true, true},
		{nil, false, false},
	} {
		if bot.Strict.Speaks(c.found) != c.strict || bot.Relaxed.Speaks(c.found) != c.relaxed {
			t.Errorf("%+v: strict %v, relaxed %v", c.found, !c.strict, !c.relaxed)
		}
	}
}

// The gate at its edges (TENSIONS 11, 12).
func TestGate(t *testing.T) {
	for _, c := range []struct {
		right, spoke     int
		trusted, doubted bool
	}{
		{17, 20, true, false}, {16, 20, false, false}, {14, 20, false, false}, {13, 20, false, true},
		{25, 30, true, false}, {24, 30, false, false}, {40, 50, true, false}, {39, 50, false, false}, {76, 100, true, false}, {75, 100, false, false},
		{21, 30, false, false}, {20, 30, false, true}, {70, 100, false, false}, {69, 100, false, true},
		{19, 19, false, false}, {0, 19, false, false}, {0, 0, false, false}, {20, 20, true, false},
	} {
		j := bot.Judged{Spoke: c.spoke, Right: c.right}
		if j.Trusted() != c.trusted || j.Doubted() != c.doubted {
			t.Errorf("%d of %d: trusted %v, doubted %v", c.right, c.spoke, j.Trusted(), j.Doubted())
		}
	}
	good, bad := bot.Judged{Spoke: 20, Right: 17}, bot.Judged{Spoke: 20, Right: 13}
	for _, c := range []struct {
		name, scorer    string
		judged          bot.Modes
		strict, relaxed bool
	}{
		{"the built-in one at first", "lexicon/1", bot.Modes{}, true, false},
		{"doubted", "lexicon/1", bot.Modes{Strict: bad}, false, false},
		{"trusted", "lexicon/1", bot.Modes{Relaxed: good}, true, true},
		{"another at first", "model/1", bot.Modes{}, false, false},
		{"another, trusted", "model/1", bot.Modes{Strict: good, Relaxed: good}, true, true},
		{"another by a like name", "lexicon2/1", bot.Modes{}, false, false},
	} {
		if bot.Strict.Open(c.scorer, c.judged) != c.strict || bot.Relaxed.Open(c.scorer, c.judged) != c.relaxed {
			t.Error(c.name)
		}
	}
}

func TestMirror(t *testing.T) {
	open := map[prompts.TensionID]bot.Modes{"a": {Relaxed: bot.Judged{Spoke: 20, Right: 17}}}
	shut := map[prompts.TensionID]bot.Modes{"a": {Strict: bot.Judged{Spoke: 20, Right: 13}}}
	for _, c := range []struct {
		name   string
		found  []bot.Evidence
		judged map[prompts.TensionID]bot.Modes
		speaks bool
	}{
		{"sure", evidence(3, 1, 1), nil, true},
		{"sure and doubted", evidence(3, 1, 1), shut, false},
		{"unsure", evidence(1.5, 1, 1), nil, false},
		{"unsure and trusted", evidence(1.5, 1, 1), open, true},
		{"trusted for another", []bot.Evidence{{Tension: "c", Score: 1.5, Reasons: make([]bot.Range, 1)}}, open, false},
		{"no reason", evidence(9, 0, 0), open, false},
		{"nothing", nil, open, false},
	} {
		if e, ok := bot.Mirror("lexicon/1", c.found, c.judged); ok != c.speaks || ok && e.Tension != "a" {
			t.Errorf("%s: %v %v", c.name, e, ok)
		}
	}
}

func TestJudge(t *testing.T) {
	judged := map[prompts.TensionID]bot.Modes{}
	bot.Judge(judged, evidence(3, 1, 1), []prompts.TensionID{"b", "a"}) // both modes, right
	bot.Judge(judged, evidence(1.5, 1, 1), []prompts.TensionID{"b"})    // relaxed, wrong
	bot.Judge(judged, evidence(.5, 0, 1), []prompts.TensionID{"a"})     // silent
	bot.Judge(judged, evidence(3, 1, 0), []prompts.TensionID{"a"})      // no reason
	bot.Judge(judged, nil, []prompts.TensionID{"a"})
	want := map[prompts.TensionID]bot.Modes{"a": {Strict: bot.Judged{Spoke: 1, Right: 1}, Relaxed: bot.Judged{Spoke: 2, Right: 1}}}
	if !maps.Equal(judged, want) {
		t.Errorf("%+v", judged)
	}
}

// What was asked moves up a little for display. The mirror never sees that.
func TestAskedFirst(t *testing.T) {
	found := evidence(2, 1.5, 1)
	if got := bot.AskedFirst(found, "b"); got[0].Tension != "b" || got[0].Score != 1.5 || found[0].Tension != "a" {
		t.Errorf("%+v", got)
	}
	if got := bot.AskedFirst(evidence(2, 1.3, 1), "b"); got[0].Tension != "a" {
		t.Errorf("%+v", got)
	}
	if got := bot.AskedFirst(evidence(2, 1.9, 1)); got[0].Tension != "a" {
		t.Errorf("%+v", got)
	}
}
