package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
)

// FindingKind is what is not as the sealed box promises.
type FindingKind string

// The kinds of finding (TRUST A1-A6, A30).
const (
	FoundSizes    FindingKind = "sizes"    // sealed slips differ in length
	FoundPlain    FindingKind = "plain"    // what should be sealed can be read
	FoundBox      FindingKind = "box"      // a box whose round is neither open nor closing
	FoundSlot     FindingKind = "slot"     // a key slot that no round needs any more
	FoundShelf    FindingKind = "shelf"    // kept replies without a day on which they go
	FoundOverdue  FindingKind = "overdue"  // kept replies whose day has passed
	FoundFreed    FindingKind = "freed"    // freed pages that hold sealed values, and no mark to overwrite them
	FoundReceipts FindingKind = "receipts" // receipts and kept replies do not belong together
	FoundLeftover FindingKind = "leftover" // copies of the store beside it
	FoundModes    FindingKind = "modes"    // key folder or slots that others may read, or of a wrong size
	FoundForeign  FindingKind = "foreign"  // files among the key slots that are none
)

// Finding says that something is not as promised, and never what is in it.
type Finding struct {
	Kind  FindingKind `json:"kind"`
	Count int         `json:"count"`
	Files []string    `json:"files,omitempty"` // names, where it is about files
}

// overdueAfter is how long after its day a kept reply counts as forgotten to be erased.
const overdueAfter = 24 * time.Hour

// Inspect looks through a store file that no program has open, and the folder of its key slots, for what the sealed box
// promises not to be there (TRUST A30). keys may be nil, for a backup. The file must be whole: see Verify, and run it
// likewise in a process of its own. Errors: ErrLocked.
func Inspect(root *os.Root, name string, keys *os.Root, now time.Time) ([]Finding, error) {
	b, err := openToRead(root, name, 3*time.Second)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	defer b.Close()
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	i := newInspection(now)
	err = b.View(func(tx *bolt.Tx) error {
		if err := i.records(tx); err != nil {
			return err
		}
		for id, done := 2, false; !done; {
			var err error
			if id, done, err = i.freed(tx, f, id, b.Info().PageSize, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && keys != nil {
		err = i.leftovers(root, name)
	}
	if err == nil && keys != nil {
		err = i.slots(keys)
	}
	return i.findings(), err
}

// Inspect does the same for a store in use. What is just being done, a closing for instance, may be found as well: look
// again a little later, and believe what is found twice.
func (d *DB) Inspect(ctx context.Context, keys *Keys, now time.Time) ([]Finding, error) {
	d.mu.RLock() // no swap under way: what lies beside the store is left over
	defer d.mu.RUnlock()
	i := newInspection(now)
	if err := errors.Join(ctx.Err(), d.bolt.View(i.records)); err != nil {
		return nil, err
	}
	for id, done := 2, false; !done; {
		tx, err := d.bolt.Begin(true) // which pages are free is the writer's knowledge
		if err != nil {
			return nil, fmt.Errorf("inspect: %w", err)
		}
		id, done, err = i.freed(tx, d.file, id, d.page, time.Now().Add(lockSlice))
		if err := errors.Join(err, tx.Rollback(), ctx.Err()); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(i.leftovers(d.root, d.name), i.slots(keys.root)); err != nil {
		return nil, err
	}
	return i.findings(), nil
}

// inspection is what one look has found so far.
type inspection struct {
	now    time.Time
	found  map[FindingKind]*Finding
	rounds map[bot.RoundID]bot.Round
	shelf  map[string]bool // IDs of kept replies
	open   bool            // a box takes ballots, and freed pages may hold older ones
	marked bool            // freed pages wait to be overwritten
}

func newInspection(now time.Time) *inspection {
	return &inspection{now: now, found: map[FindingKind]*Finding{}, rounds: map[bot.RoundID]bot.Round{}, shelf: map[string]bool{}}
}

func (i *inspection) add(kind FindingKind, files ...string) {
	if i.found[kind] == nil {
		i.found[kind] = &Finding{Kind: kind}
	}
	i.found[kind].Count++
	i.found[kind].Files = append(i.found[kind].Files, files...)
}

// findings are sorted by kind, so that two looks compare.
func (i *inspection) findings() (all []Finding) {
	for _, f := range i.found {
		slices.Sort(f.Files)
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b Finding) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	return all
}

// records looks through boxes, shelf and receipts.
func (i *inspection) records(tx *bolt.Tx) error {
	for _, name := range [][]byte{bRounds, bOpen, bShelf, bReceipts, bErase} {
		if tx.Bucket(name) == nil { // a file of an older schema: opening upgrades it
			return nil
		}
	}
	err := tx.Bucket(bRounds).ForEach(func(id, raw []byte) error {
		var r bot.Round
		if err := json.Unmarshal(raw, &r); err != nil {
			return fmt.Errorf("read round: %w", err)
		}
		i.rounds[bot.RoundID(id)] = r
		return nil
	})
	if err != nil {
		return err
	}
	key, _ := tx.Bucket(bErase).Cursor().First()
	i.marked = key != nil
	size := -1
	err = tx.Bucket(bOpen).ForEachBucket(func(id []byte) error {
		i.open = true
		if r := i.rounds[bot.RoundID(id)]; r.State != bot.RoundOpen && r.State != bot.RoundClosing {
			i.add(FoundBox)
		}
		for _, name := range [][]byte{kBallots, kAside} {
			lid := tx.Bucket(bOpen).Bucket(id).Bucket(name)
			if lid == nil {
				continue
			}
			err := lid.ForEach(func(_, sealed []byte) error {
				if size < 0 {
					size = len(sealed)
				}
				if len(sealed) != size {
					i.add(FoundSizes)
				}
				if readable(sealed) {
					i.add(FoundPlain)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return i.keptReplies(tx)
}

// keptReplies looks at the shelf, and whether every reply has its receipt and every receipt its reply.
func (i *inspection) keptReplies(tx *bolt.Tx) error {
	shelves, receipts := tx.Bucket(bShelf), tx.Bucket(bReceipts)
	err := shelves.ForEachBucket(func(id []byte) error {
		switch r := i.rounds[bot.RoundID(id)]; {
		case r.Keep.IsZero():
			i.add(FoundShelf)
		case !r.Held && r.Keep.Before(i.now.Add(-overdueAfter)):
			i.add(FoundOverdue)
		}
		return shelves.Bucket(id).ForEach(func(reply, raw []byte) error {
			i.shelf[string(reply)] = true
			if len(raw) < 32 || readable(raw[32:]) {
				i.add(FoundPlain)
				return nil
			}
			if [32]byte(raw) != [32]byte{} && string(receipts.Get(raw[:32])) != string(zero(string(id), string(reply))) {
				i.add(FoundReceipts)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return receipts.ForEach(func(receipt, at []byte) error {
		round, reply, ok := strings.Cut(string(at), "\x00")
		if shelf := shelves.Bucket([]byte(round)); !ok || shelf == nil || shelf.Get([]byte(reply)) == nil || string(shelf.Get([]byte(reply))[:32]) != string(receipt) {
			i.add(FoundReceipts)
		}
		return nil
	})
}

// readable says whether bytes hold a run of plain signs that sealed ones, which are random, never hold.
func readable(sealed []byte) bool {
	const never = 32 // one in ten thousand million values has such a run by chance
	run := 0
	for _, c := range sealed {
		if c < 0x20 || c > 0x7E {
			run = 0
		} else if run++; run == never {
			return true
		}
	}
	return false
}

// freed looks for sealed values in pages that are free, from the given one on, until the given moment. Pages are freed
// and written all the time, and most hold records that are nobody's secret; while a box is open they may hold older
// versions of its slips. Otherwise a closing or a removal has overwritten them, or a mark says that it still will.
func (i *inspection) freed(tx *bolt.Tx, f *os.File, id, page int, until time.Time) (next int, done bool, err error) {
	if i.marked {
		return id, true, nil
	}
	raw := make([]byte, page)
	last := int(tx.Size()) / page
	for id < last {
		if !until.IsZero() && time.Now().After(until) {
			return id, false, nil
		}
		info, err := tx.Page(id)
		if err != nil {
			return id, false, fmt.Errorf("inspect page %d: %w", id, err)
		}
		if info == nil {
			break
		}
		if info.Type != "free" {
			id += info.OverflowCount + 1
			continue
		}
		if _, err := f.ReadAt(raw, int64(id)*int64(page)); err != nil {
			return id, false, fmt.Errorf("inspect page %d: %w", id, err)
		}
		if i.secret(raw) {
			i.add(FoundFreed)
		}
		id++
	}
	return id, true, nil
}

// secret says whether a freed page still holds a slip, though no box is open, or a reply that is no longer kept.
func (i *inspection) secret(page []byte) bool {
	const leaf, element = 2, 16
	if binary.LittleEndian.Uint16(page[8:]) != leaf {
		return !i.open && len(i.shelf) == 0 && random(page) // the second half of something sealed
	}
	for n := range int(binary.LittleEndian.Uint16(page[10:])) {
		at := element + n*element
		if at+element > len(page) {
			return false
		}
		u := func(off int) int { return int(binary.LittleEndian.Uint32(page[at+off:])) }
		pos, key, value := at+u(4), u(8), u(12)
		if u(0) != 0 || pos+key > len(page) || key == 0 { // a bucket, or damaged
			continue
		}
		switch name := page[pos : pos+key]; {
		case key == len(bot.Address{}) && value > len(page) && !i.open:
			return true
		case key == idSize && value > sealedLeast && pos+key < len(page) && page[pos+key] != '{' && !i.shelf[string(name)]:
			return true
		}
	}
	return false
}

// How a released reply is told from other records: by the size of its random ID, and of a receipt with something sealed.
const (
	idSize      = 26
	sealedLeast = 32 + 28
)

// random says whether a page is filled with what looks like chance, as sealed bytes do and records never.
func random(page []byte) bool {
	var n [256]int
	for _, c := range page {
		n[c]++
	}
	for _, k := range n {
		if k > len(page)/64 { // chance gives each of 256 values about a quarter of this
			return false
		}
	}
	return true
}

// leftovers looks for copies beside the store that a start or the next compaction would clear away.
func (i *inspection) leftovers(root *os.Root, name string) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), name+"."); ok && (isHalf.MatchString(rest) || isCopy.MatchString(rest)) {
			i.add(FoundLeftover, e.Name())
		}
	}
	return nil
}

// slots looks at the key folder: who may read it, and which slots a round still needs. No key is read.
func (i *inspection) slots(keys *os.Root) error {
	dir, err := keys.Stat(".")
	if err != nil {
		return err
	}
	if dir.Mode().Perm() != 0o700 {
		i.add(FoundModes, "keys")
	}
	entries, err := fs.ReadDir(keys.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !slotName.MatchString(e.Name()) {
			i.add(FoundForeign, e.Name())
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) { // destroyed just now
			continue
		}
		if err != nil {
			return err
		}
		if info.Mode() != 0o600 || info.Size() != slotSize {
			i.add(FoundModes, e.Name())
		}
		id, kind, _ := strings.Cut(e.Name(), ".")
		id, _, _ = strings.Cut(id, "-") // what was removed is noted by round and reply, for as long as its round is kept
		r := i.rounds[bot.RoundID(id)]
		needed := kind == "ballot" && (r.State == bot.RoundOpen || r.State == bot.RoundClosing) ||
			kind == "shelf" && (r.State == bot.RoundClosing || !r.Keep.IsZero()) ||
			kind == "removed" && !r.Keep.IsZero()
		if !needed {
			i.add(FoundSlot, e.Name())
		}
	}
	return nil
}
