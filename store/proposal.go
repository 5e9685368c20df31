package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
)

// EraseOwn implements bot.Proposals.
func (d *DB) EraseOwn(ctx context.Context, key bot.EntryKey, check func(bot.OwnEntry) error) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		rows, past := tx.Bucket(bOwn), tx.Bucket(bPast)
		raw := rows.Get([]byte(ownKey(key)))
		if raw == nil {
			return bot.ErrNotFound
		}
		var e bot.OwnEntry
		if err := json.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("read entry: %w", err)
		}
		if err := check(e); err != nil {
			return err
		}
		var gone [][]byte
		prefix := zero(ownKey(key), "")
		c := past.Cursor()
		for k, _ := c.Seek(prefix); len(k) == len(prefix)+8 && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			gone = append(gone, slices.Clone(k))
		}
		for _, k := range gone {
			if err := past.Delete(k); err != nil {
				return err
			}
		}
		if err := rows.Delete([]byte(ownKey(key))); err != nil {
			return err
		}
		if _, err := rows.NextSequence(); err != nil {
			return err
		}
		return markErase(tx, bOwn)
	})
}
