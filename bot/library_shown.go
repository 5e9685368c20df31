package bot

import (
	"context"
	"sync"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// fewMissed is how many must say that a prompt does not touch them before a round counts as missed.
const fewMissed = 3

// shownCache keeps what is known of the use of prompts, and the lint of the library, for as long as looking again is not
// worth its cost.
type shownCache struct {
	mu    sync.Mutex
	until time.Time
	asked map[prompts.ID]use

	linted   string // the stamp that findings are of
	findings []prompts.Finding
}

// use is what rounds tell of one prompt.
type use struct {
	rounds, missed int
	teams          int
	last           time.Time
}

// shownAll is what is known of the use of every prompt. It counts rounds: that a number of people answered something is
// not told, nor is a round in which fewer than three said that it does not touch them, nor one that its team did not get back
// yet.
func (b *Bot) shownAll(ctx context.Context, l *layers) (map[EntryKey]Shown, error) {
	b.shown.mu.Lock()
	defer b.shown.mu.Unlock()
	if now := time.Now(); b.shown.asked == nil || now.After(b.shown.until) {
		asked, err := b.usedPrompts(ctx)
		if err != nil {
			return nil, err
		}
		b.shown.asked = asked
		b.shown.until = time.Now().Add(max(5*time.Second, 20*time.Since(now)))
	}
	out := map[EntryKey]Shown{}
	for id, u := range b.shown.asked {
		key := EntryKey{EntryPrompt, string(id)}
		s := Shown{Rounds: u.rounds, Teams: u.teams, Last: u.last, Missed: u.missed}
		if e, ok := l.entry(key); ok {
			if until := u.last.AddDate(0, 0, 7*e.Prompt.CooldownWeeks); until.After(time.Now()) {
				s.Rests = until
			}
		}
		out[key] = s
	}
	return out, nil
}

func (b *Bot) usedPrompts(ctx context.Context) (map[prompts.ID]use, error) {
	teams, err := b.o.Store.Teams(ctx)
	if err != nil {
		return nil, err
	}
	out := map[prompts.ID]use{}
	for _, t := range teams {
		rounds, err := b.o.Store.Rounds(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		here := map[prompts.ID]bool{}
		for _, r := range rounds {
			if r.Prompt.ID == "" || r.Kind != RoundQuestion && r.Kind != RoundTalk || r.State == RoundPlanned || r.State == RoundLapsed {
				continue
			}
			u := out[r.Prompt.ID]
			u.rounds++
			if !here[r.Prompt.ID] {
				u.teams++
			}
			here[r.Prompt.ID] = true
			if r.Opens.After(u.last) {
				u.last = r.Opens
			}
			if r.State == RoundGivenBack && r.Tally != nil && r.Tally.Stances[StanceNotMe] >= fewMissed { // its team hears it first
				u.missed++
			}
			out[r.Prompt.ID] = u
		}
	}
	return out, nil
}

// lint is the lint of the library under a stamp.
func (b *Bot) lint(stamp string, lib prompts.Library) []prompts.Finding {
	b.shown.mu.Lock()
	defer b.shown.mu.Unlock()
	if b.shown.linted != stamp {
		b.shown.linted, b.shown.findings = stamp, prompts.Lint(lib)
	}
	return b.shown.findings
}
