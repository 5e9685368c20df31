package store

import (
	"bytes"
	"context"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Mark returns up to when everything of a platform was handled; zero: never.
func (d *DB) Mark(ctx context.Context, platform string) (at time.Time, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		if raw := tx.Bucket(bMeta).Get([]byte(kMark + platform)); len(raw) == 8 {
			at = unstamp(raw)
		}
		return nil
	})
	return at, err
}

// SetMark keeps up to when everything of a platform was handled, to the minute and never later: one coarse moment for a
// whole platform does not tell when anybody wrote. The same minute again writes nothing.
func (d *DB) SetMark(ctx context.Context, platform string, at time.Time) error {
	key, minute := []byte(kMark+platform), stamp(at.UTC().Truncate(time.Minute))
	var same bool
	err := d.view(ctx, func(tx *bolt.Tx) error {
		same = bytes.Equal(tx.Bucket(bMeta).Get(key), minute)
		return nil
	})
	if err != nil || same {
		return err
	}
	return d.update(ctx, func(tx *bolt.Tx) error { return tx.Bucket(bMeta).Put(key, minute) })
}
