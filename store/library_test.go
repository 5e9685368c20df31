package store

import (
	"encoding/binary"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// A store of the schema that knew own prompts only comes whole into this one: their newest states, what they were before,
// and what was taken out, which is retired now because no ID is used again.
func TestUpgradeOfOwnPrompts(t *testing.T) {
	dir := t.TempDir()
	root := testRoot(t, dir)
	old, err := Open(root, "weerklank.db", Options{upgrades: upgrades()[:1]})
	if err != nil {
		t.Fatal(err)
	}
	prompt := func(id string, revision int) prompts.Prompt {
		return prompts.Prompt{ID: prompts.ID(id), Revision: revision, Status: prompts.Active, Words: map[prompts.Lang]prompts.Words{prompts.Dutch: {Title: id}}}
	}
	err = old.update(t.Context(), func(tx *bolt.Tx) error {
		rows, history := tx.Bucket(bOldPrompts), tx.Bucket(bOldHistory)
		for range 7 {
			if _, err := rows.NextSequence(); err != nil {
				return err
			}
		}
		for i, p := range []prompts.Prompt{prompt("a", 1), prompt("gone", 1), prompt("a", 2), prompt("gone", 2)} {
			if err := put(history, string(binary.BigEndian.AppendUint64(zero(string(p.ID), ""), uint64(i+1))), p); err != nil {
				return err
			}
		}
		if err := put(rows, "b", prompt("b", 1)); err != nil {
			return err
		}
		return put(rows, "a", prompt("a", 3))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db := openIn(t, dir, Options{})
	own, err := db.Own(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key := func(id string) bot.EntryKey { return bot.EntryKey{Kind: bot.EntryPrompt, ID: id} }
	for id, want := range map[string]struct {
		revision, serial, states int
		status                   prompts.Status
	}{"a": {3, 3, 3, prompts.Active}, "b": {1, 1, 1, prompts.Active}, "gone": {2, 3, 3, prompts.Retired}} {
		e := own.Entries[key(id)]
		history, err := db.OwnHistory(t.Context(), key(id))
		if err != nil || e.Now.Prompt == nil || e.Now.Prompt.Revision != want.revision || e.Now.Prompt.Status != want.status || e.Serial != want.serial ||
			len(history) != want.states || history[0].Prompt.Revision != 1 || history[0].What != "before" || e.Base != nil {
			t.Errorf("%s: %+v, history %+v (%v)", id, e, history, err)
		}
	}
	if len(own.Entries) != 3 || len(own.Used) != 0 || own.Stamp == "7" || own.Stamp == "0" {
		t.Errorf("%d entries, stamp %s", len(own.Entries), own.Stamp)
	}
	err = db.view(t.Context(), func(tx *bolt.Tx) error {
		if tx.Bucket(bOldPrompts) != nil || tx.Bucket(bOldHistory) != nil || schemaOf(tx) != uint64(len(upgrades())) {
			t.Error("the old buckets are still there, or the schema is the old one")
		}
		return check(tx)
	})
	if err != nil {
		t.Error(err)
	}
}
