package bot

import (
	"maps"
	"testing"

	"github.com/weerklank/weerklank/prompts"
)

// The totals grow by three judgements of a tension at least, so that they tell nothing of single replies; nothing is lost
// while the program runs.
func TestJudgementsWaitForEachOther(t *testing.T) {
	one := func(right int) Judged { return Judged{Spoke: 1, Right: right} }
	of := func(m map[prompts.TensionID]Modes) *JudgedBy { return &JudgedBy{Scorer: "lexicon/1", Tensions: m} }
	var j judging
	for i, step := range []struct {
		in   map[prompts.TensionID]Modes
		want map[prompts.TensionID]Modes
	}{
		{map[prompts.TensionID]Modes{"a": {Strict: one(1), Relaxed: one(1)}}, nil},
		{map[prompts.TensionID]Modes{"a": {Relaxed: one(0)}, "b": {Relaxed: Judged{Spoke: 3, Right: 2}}}, map[prompts.TensionID]Modes{"b": {Relaxed: Judged{Spoke: 3, Right: 2}}}},
		{map[prompts.TensionID]Modes{"a": {Strict: one(0), Relaxed: one(0)}}, map[prompts.TensionID]Modes{"a": {Relaxed: Judged{Spoke: 3, Right: 1}}}},
		{map[prompts.TensionID]Modes{"a": {Strict: one(1), Relaxed: one(1)}}, map[prompts.TensionID]Modes{"a": {Strict: Judged{Spoke: 3, Right: 2}}}},
		{map[prompts.TensionID]Modes{"a": {Relaxed: Judged{Spoke: 2}}}, map[prompts.TensionID]Modes{"a": {Relaxed: Judged{Spoke: 3, Right: 1}}}},
	} {
		got := j.add(of(step.in))
		if got == nil && step.want != nil || got != nil && !maps.Equal(got.Tensions, step.want) {
			t.Errorf("step %d: %+v, want %+v", i+1, got, step.want)
		}
	}
	if got := j.add(nil); got != nil {
		t.Errorf("%+v", got)
	}
	j.add(of(map[prompts.TensionID]Modes{"a": {Strict: Judged{Spoke: 2}}}))
	if got := j.add(&JudgedBy{Scorer: "lexicon/2", Tensions: map[prompts.TensionID]Modes{"a": {Strict: one(1)}}}); got != nil {
		t.Errorf("of another scorer: %+v", got)
	}
}
