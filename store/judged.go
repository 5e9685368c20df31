package store

import (
	"context"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// Judged implements bot.Judgements.
func (d *DB) Judged(ctx context.Context, scorer string) (totals map[prompts.TensionID]bot.Modes, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		totals, err = judgedOf(tx, scorer)
		return err
	})
	return totals, err
}

func judgedOf(tx *bolt.Tx, scorer string) (map[prompts.TensionID]bot.Modes, error) {
	totals := map[prompts.TensionID]bot.Modes{}
	if raw := tx.Bucket(bMeta).Get([]byte(kJudged + scorer)); raw != nil {
		if err := json.Unmarshal(raw, &totals); err != nil {
			return nil, fmt.Errorf("read what a scorer is worth: %w", err)
		}
	}
	return totals, nil
}

// judge adds to the totals of a scorer.
func judge(tx *bolt.Tx, more *bot.JudgedBy) error {
	if more == nil || len(more.Tensions) == 0 {
		return nil
	}
	totals, err := judgedOf(tx, more.Scorer)
	if err != nil {
		return err
	}
	for id, m := range more.Tensions {
		t := totals[id]
		t.Strict.Spoke += m.Strict.Spoke
		t.Strict.Right += m.Strict.Right
		t.Relaxed.Spoke += m.Relaxed.Spoke
		t.Relaxed.Right += m.Relaxed.Right
		totals[id] = t
	}
	return put(tx.Bucket(bMeta), kJudged+more.Scorer, totals)
}
