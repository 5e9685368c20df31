package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// ownKey is the key of an entry, and the beginning of those of its history.
func ownKey(key bot.EntryKey) string { return string(zero(string(key.Kind), key.ID)) }

func entryKey(raw []byte) (bot.EntryKey, error) {
	kind, id, ok := bytes.Cut(raw, []byte{0})
	if !ok {
		return bot.EntryKey{}, fmt.Errorf("%w: a key of the library cannot be read", ErrDamaged)
	}
	return bot.EntryKey{Kind: bot.EntryKind(kind), ID: string(id)}, nil
}

// readOwn reads everything that the organisation made of the library.
func readOwn(tx *bolt.Tx) (bot.Own, error) {
	own := bot.Own{Entries: map[bot.EntryKey]bot.OwnEntry{}, Used: map[bot.EntryKey]bot.Origin{}}
	rows := tx.Bucket(bOwn)
	own.Stamp = strconv.FormatUint(rows.Sequence(), 10)
	err := rows.ForEach(func(k, raw []byte) error {
		key, err := entryKey(k)
		if err != nil {
			return err
		}
		var e bot.OwnEntry
		if err := json.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("read entry: %w", err)
		}
		own.Entries[key] = e
		return nil
	})
	if err != nil {
		return own, err
	}
	err = tx.Bucket(bUsed).ForEach(func(k, origin []byte) error {
		key, err := entryKey(k)
		own.Used[key] = bot.Origin(origin)
		return err
	})
	if err != nil {
		return own, err
	}
	own.Files, err = get[bot.LastGood](tx.Bucket(bMeta), kFiles)
	if errors.Is(err, bot.ErrNotFound) {
		err = nil
	}
	return own, err
}

// Own implements bot.Library.
func (d *DB) Own(ctx context.Context) (own bot.Own, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) (err error) { own, err = readOwn(tx); return err })
	return own, err
}

// LibraryStamp implements bot.Library.
func (d *DB) LibraryStamp(ctx context.Context) (stamp string, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		stamp = strconv.FormatUint(tx.Bucket(bOwn).Sequence(), 10)
		return nil
	})
	return stamp, err
}

// UpdateOwn implements bot.Library.
func (d *DB) UpdateOwn(ctx context.Context, edit func(*bot.Own) (bot.Also, error)) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		own, err := readOwn(tx)
		if err != nil {
			return err
		}
		before := map[bot.EntryKey]written{} // as bytes: edit may reach what an entry points to
		for key, e := range own.Entries {
			if before[key], err = write(e); err != nil {
				return err
			}
		}
		used, files := maps.Clone(own.Used), own.Files
		also, err := edit(&own)
		if err != nil {
			return err
		}
		rows, past, marks := tx.Bucket(bOwn), tx.Bucket(bPast), tx.Bucket(bUsed)
		changed := false
		for key, e := range own.Entries {
			now, err := write(e)
			if err != nil {
				return err
			}
			was, there := before[key]
			if bytes.Equal(now.all, was.all) {
				continue
			}
			changed = true
			if err := rows.Put([]byte(ownKey(key)), now.all); err != nil {
				return err
			}
			if there && bytes.Equal(now.state, was.state) {
				continue
			}
			if e.Base != nil && !bytes.Equal(now.base, was.base) {
				if err := remember(past, key, bot.OwnPast{Content: *e.Base, Act: bot.Act{What: "built-in"}}); err != nil {
					return err
				}
			}
			if err := remember(past, key, bot.OwnPast{Content: e.Now, Act: e.Last}); err != nil {
				return err
			}
		}
		for key := range before {
			if _, there := own.Entries[key]; !there {
				return bot.ErrConflict
			}
		}
		for key, origin := range own.Used {
			if _, there := used[key]; there {
				continue
			}
			if err := marks.Put([]byte(ownKey(key)), []byte(origin)); err != nil {
				return err
			}
		}
		if own.Files != files {
			changed = true
			if err := put(tx.Bucket(bMeta), kFiles, own.Files); err != nil {
				return err
			}
		}
		if changed {
			if _, err := rows.NextSequence(); err != nil {
				return err
			}
		}
		return alongside(tx, also)
	})
}

// written is an entry as the file has it: all of it, the state that its history keeps, and its base.
type written struct{ all, state, base []byte }

func write(e bot.OwnEntry) (w written, err error) {
	for _, part := range []struct {
		to *[]byte
		v  any
	}{{&w.all, e}, {&w.state, bot.OwnPast{Content: e.Now, Act: e.Last}}, {&w.base, e.Base}} {
		if *part.to, err = json.Marshal(part.v); err != nil {
			return w, fmt.Errorf("write entry: %w", err)
		}
	}
	return w, nil
}

// remember adds a state of an entry to its history.
func remember(past *bolt.Bucket, key bot.EntryKey, state bot.OwnPast) error {
	prefix := zero(ownKey(key), "")
	n := uint64(1) // counted for each entry: a count over all would say between which dated acts a proposal came
	c := past.Cursor()
	for k, _ := c.Seek(prefix); len(k) == len(prefix)+8 && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		n = binary.BigEndian.Uint64(k[len(prefix):]) + 1
	}
	return put(past, string(binary.BigEndian.AppendUint64(prefix, n)), state)
}

// OwnHistory implements bot.Library.
func (d *DB) OwnHistory(ctx context.Context, key bot.EntryKey) (all []bot.OwnPast, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		prefix := zero(ownKey(key), "")
		c := tx.Bucket(bPast).Cursor()
		for k, raw := c.Seek(prefix); len(k) == len(prefix)+8 && bytes.HasPrefix(k, prefix); k, raw = c.Next() {
			var p bot.OwnPast
			if err := json.Unmarshal(raw, &p); err != nil {
				return fmt.Errorf("read entry: %w", err)
			}
			all = append(all, p)
		}
		return nil
	})
	return all, err
}

// forgetEditors takes from the library who did what before a moment; what was done stays. It says whether there was
// anything to take.
func forgetEditors(tx *bolt.Tx, before time.Time, really bool) (some bool, err error) {
	old := func(a bot.Act) bool { return a.By != "" && a.At.Before(before) }
	type row struct {
		bucket *bolt.Bucket
		key    string
		value  any
	}
	var rows []row
	err = tx.Bucket(bPast).ForEach(func(k, raw []byte) error {
		var p bot.OwnPast
		if err := json.Unmarshal(raw, &p); err != nil {
			return fmt.Errorf("read entry: %w", err)
		}
		if old(p.Act) {
			p.By = ""
			rows = append(rows, row{tx.Bucket(bPast), string(k), p})
		}
		return nil
	})
	if err == nil {
		err = tx.Bucket(bOwn).ForEach(func(k, raw []byte) error {
			var e bot.OwnEntry
			if err := json.Unmarshal(raw, &e); err != nil {
				return fmt.Errorf("read entry: %w", err)
			}
			if old(e.Last) {
				e.Last.By = ""
				if p := e.Now.Prompt; p == nil || p.Status != prompts.Draft && p.Status != prompts.Review { // its author is still no reader
					e.Writers = nil
				}
				rows = append(rows, row{tx.Bucket(bOwn), string(k), e})
			}
			return nil
		})
	}
	if err != nil || !really {
		return len(rows) > 0, err
	}
	for _, r := range rows {
		if err := put(r.bucket, r.key, r.value); err != nil {
			return true, err
		}
	}
	return len(rows) > 0, nil
}

// libraryOfAllKinds is the upgrade to a schema that keeps own tensions, values and audiences as it keeps own prompts, with
// who did what and the built-in entry they came from. What the older schema has no word for stays empty.
func libraryOfAllKinds(tx *bolt.Tx) error {
	rows, err := tx.CreateBucketIfNotExists(bOwn)
	if err != nil {
		return err
	}
	past, err := tx.CreateBucketIfNotExists(bPast)
	if err != nil {
		return err
	}
	if _, err := tx.CreateBucketIfNotExists(bUsed); err != nil {
		return err
	}
	oldRows, oldPast := tx.Bucket(bOldPrompts), tx.Bucket(bOldHistory)
	counts := map[bot.EntryKey]int{}
	newest := map[bot.EntryKey]prompts.Prompt{}
	err = oldPast.ForEach(func(k, raw []byte) error {
		var p prompts.Prompt
		if err := json.Unmarshal(raw, &p); err != nil {
			return fmt.Errorf("read prompt: %w", err)
		}
		key := bot.EntryKey{Kind: bot.EntryPrompt, ID: string(bytes.SplitN(k, []byte{0}, 2)[0])}
		counts[key]++
		newest[key] = p // in the order of its changes
		return remember(past, key, bot.OwnPast{Content: bot.Content{Prompt: &p}, Act: bot.Act{What: "before"}})
	})
	if err != nil {
		return err
	}
	err = oldRows.ForEach(func(k, raw []byte) error {
		var p prompts.Prompt
		if err := json.Unmarshal(raw, &p); err != nil {
			return fmt.Errorf("read prompt: %w", err)
		}
		key := bot.EntryKey{Kind: bot.EntryPrompt, ID: string(k)}
		delete(newest, key)
		e := bot.OwnEntry{Now: bot.Content{Prompt: &p}, Serial: counts[key] + 1, Last: bot.Act{What: "before"}}
		return errors.Join(put(rows, ownKey(key), e), remember(past, key, bot.OwnPast{Content: e.Now, Act: e.Last}))
	})
	if err != nil {
		return err
	}
	for key, p := range newest { // taken out: nothing is any more, so that it is retired
		p.Status = prompts.Retired
		e := bot.OwnEntry{Now: bot.Content{Prompt: &p}, Serial: counts[key] + 1, Last: bot.Act{What: "retire"}}
		if err := errors.Join(put(rows, ownKey(key), e), remember(past, key, bot.OwnPast{Content: e.Now, Act: e.Last})); err != nil {
			return err
		}
	}
	if err := rows.SetSequence(oldRows.Sequence() + 1); err != nil { // a stamp never comes back
		return err
	}
	return errors.Join(tx.DeleteBucket(bOldPrompts), tx.DeleteBucket(bOldHistory))
}
