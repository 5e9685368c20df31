package store

import (
	"context"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
)

// Watchers implements bot.Watching.
func (d *DB) Watchers(ctx context.Context) (all []bot.Watcher, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		all, err = watchersOf(tx)
		return err
	})
	return all, err
}

// UpdateWatchers implements bot.Watching.
func (d *DB) UpdateWatchers(ctx context.Context, edit func([]bot.Watcher) ([]bot.Watcher, error)) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		all, err := watchersOf(tx)
		if err != nil {
			return err
		}
		if all, err = edit(all); err != nil {
			return err
		}
		return put(tx.Bucket(bMeta), kWatch, all)
	})
}

func watchersOf(tx *bolt.Tx) (all []bot.Watcher, err error) {
	if raw := tx.Bucket(bMeta).Get([]byte(kWatch)); raw != nil {
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, fmt.Errorf("read who is told of the library: %w", err)
		}
	}
	return all, nil
}
