package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

func ownPrompts(tx *bolt.Tx) (map[prompts.ID]prompts.Prompt, error) {
	own := map[prompts.ID]prompts.Prompt{}
	err := tx.Bucket(bPrompts).ForEach(func(id, raw []byte) error {
		var p prompts.Prompt
		if err := json.Unmarshal(raw, &p); err != nil {
			return fmt.Errorf("read prompt: %w", err)
		}
		own[prompts.ID(id)] = p
		return nil
	})
	return own, err
}

// Prompts implements bot.Prompts.
func (d *DB) Prompts(ctx context.Context) (all []prompts.Prompt, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		own, err := ownPrompts(tx)
		for _, id := range slices.Sorted(maps.Keys(own)) {
			all = append(all, own[id])
		}
		return err
	})
	return all, err
}

// UpdatePrompts implements bot.Prompts.
func (d *DB) UpdatePrompts(ctx context.Context, edit func(map[prompts.ID]prompts.Prompt) (bot.Also, error)) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		before, err := ownPrompts(tx)
		if err != nil {
			return err
		}
		now := maps.Clone(before)
		also, err := edit(now)
		if err != nil {
			return err
		}
		rows, history := tx.Bucket(bPrompts), tx.Bucket(bHistory)
		if !reflect.DeepEqual(before, now) {
			if _, err := rows.NextSequence(); err != nil {
				return err
			}
		}
		for id, p := range before {
			changed, there := now[id]
			if there && reflect.DeepEqual(p, changed) {
				continue
			}
			n, err := history.NextSequence()
			if err != nil {
				return err
			}
			if err := put(history, string(binary.BigEndian.AppendUint64(zero(string(id), ""), n)), p); err != nil {
				return err
			}
			if !there {
				if err := rows.Delete([]byte(id)); err != nil {
					return err
				}
			}
		}
		for id, p := range now {
			if old, there := before[id]; there && reflect.DeepEqual(old, p) {
				continue
			}
			if err := put(rows, string(id), p); err != nil {
				return err
			}
		}
		return alongside(tx, also)
	})
}

// LibraryStamp implements bot.Prompts.
func (d *DB) LibraryStamp(ctx context.Context) (stamp string, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		stamp = strconv.FormatUint(tx.Bucket(bPrompts).Sequence(), 10)
		return nil
	})
	return stamp, err
}

// History implements bot.Prompts.
func (d *DB) History(ctx context.Context, id prompts.ID) (all []prompts.Prompt, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		prefix := zero(string(id), "")
		c := tx.Bucket(bHistory).Cursor()
		for k, raw := c.Seek(prefix); len(k) == len(prefix)+8 && string(k[:len(prefix)]) == string(prefix); k, raw = c.Next() {
			var p prompts.Prompt
			if err := json.Unmarshal(raw, &p); err != nil {
				return fmt.Errorf("read prompt: %w", err)
			}
			all = append(all, p)
		}
		return nil
	})
	return all, err
}
