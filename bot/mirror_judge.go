package bot

import (
	"context"
	"sync"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// judgeTime is how long a closing waits for what a scorer would have said about all its replies together.
const judgeTime = 3 * time.Second

// fewJudged is how many judgements of a tension go into the totals at least at once: by one or two, whoever sees the totals
// before and after a closing would learn how single replies were tagged.
const fewJudged = minCell

// judging holds judgements back until enough are there. What waits is lost when the program stops: the totals are a
// little late, and no more.
type judging struct {
	mu     sync.Mutex
	scorer string
	waits  map[prompts.TensionID]Modes
}

// add takes the judgements of a round, and gives what may go into the totals now; nil if nothing.
func (j *judging) add(round *JudgedBy) (out *JudgedBy) {
	if round == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.scorer != round.Scorer { // of one that is gone nothing is worth keeping
		j.scorer, j.waits = round.Scorer, map[prompts.TensionID]Modes{}
	}
	for t, m := range round.Tensions {
		m = j.waits[t].plus(m)
		var full Modes
		full.Strict, m.Strict = m.Strict.enough()
		full.Relaxed, m.Relaxed = m.Relaxed.enough()
		j.waits[t] = m
		if full == (Modes{}) {
			continue
		}
		if out == nil {
			out = &JudgedBy{Scorer: round.Scorer, Tensions: map[prompts.TensionID]Modes{}}
		}
		out.Tensions[t] = full
	}
	return out
}

// enough parts what may be counted now from what waits.
func (j Judged) enough() (now, later Judged) {
	if j.Spoke < fewJudged {
		return Judged{}, j
	}
	return j, Judged{}
}

func (m Modes) plus(more Modes) Modes {
	m.Strict.Spoke, m.Strict.Right = m.Strict.Spoke+more.Strict.Spoke, m.Strict.Right+more.Strict.Right
	m.Relaxed.Spoke, m.Relaxed.Right = m.Relaxed.Spoke+more.Relaxed.Spoke, m.Relaxed.Right+more.Relaxed.Right
	return m
}

// judged are the judgements that may be counted with a round that closes.
func (b *Bot) judged(ctx context.Context, r Round, slips []*slip) *JudgedBy {
	ctx, cancel := context.WithTimeout(ctx, judgeTime)
	defer cancel()
	return b.judging.add(b.judge(ctx, r, slips))
}
