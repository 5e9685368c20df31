// Package store keeps everything in one bbolt file: schema, upgrade, backup and erasure, and the key slots beside it. It
// imports bot, because the ports and the records live there; it sees ballots and replies as opaque bytes and imports no
// cryptography.
package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"

	"github.com/weerklank/weerklank/bot"
)

// The errors of opening and keeping a store, besides those of package bot.
var (
	ErrLocked  = errors.New("another process has the store open")
	ErrNewer   = errors.New("the store was written by a newer version of the program")
	ErrDamaged = errors.New("the store is damaged")
	// ErrBroken says that a commit failed otherwise than for space. What the disk holds is unknown, so that nothing
	// more is written: end the process and check the file (TRUST 12, S8).
	ErrBroken = errors.New("a write failed; the store takes nothing more")
	// ErrReplaced says that the file under the store's name is not the one that is open: whatever is written now is lost.
	ErrReplaced = errors.New("the store's file was replaced or removed while it was open")
)

// The buckets. Moments are UTC nanoseconds, big-endian, so that keys sort by time.
//
//	meta      "schema" -> version (uint64); "restored" -> moment of the restore, until the bot has acted on it;
//	          "files" -> last good state of the library's directory of files as JSON;
//	          "mark-<platform>" -> minute up to which a platform's events were handled; "judged-<scorer>" -> totals by tension as JSON
//	teams     <team id> -> bot.Team as JSON
//	rounds    <round id> -> bot.Round as JSON
//	asked     <team id> 0 <kind> 0 <due> -> round id: a round is unique in (team, kind, due)
//	due       <moment> 'r'|'t' <id>: the agenda; rounds before teams at one moment
//	open      <round id> -> bucket with "ballots" and "aside": <address> -> sealed bytes; "shut" when it takes no more
//	shelf     <round id> -> bucket: <reply id> -> receipt hash (32 bytes) + sealed bytes; no sequence, no order
//	receipts  <receipt hash> -> <round id> 0 <reply id>
//	posts     <post id> -> outbox row as JSON
//	pending   <after> <sequence> -> post id: rows that are queued or sending
//	own       <kind> 0 <id> -> bot.OwnEntry as JSON; its sequence is the library's stamp
//	past      <kind> 0 <id> 0 <sequence> -> bot.OwnPast as JSON: every state that an own entry had
//	used      <kind> 0 <id> -> the source that used the key first
//	audit     <sequence> -> bot.AuditEntry as JSON
//	erase     <round id>, "restore" or "audit" -> sequence: freed pages that wait to be overwritten; a new mark has a new sequence
var (
	// What only older schemas have.
	bOldPrompts = []byte("prompts") // <prompt id> -> newest own revision as JSON
	bOldHistory = []byte("history") // <prompt id> 0 <sequence> -> earlier revision as JSON

	bMeta     = []byte("meta")
	bTeams    = []byte("teams")
	bRounds   = []byte("rounds")
	bAsked    = []byte("asked")
	bDue      = []byte("due")
	bOpen     = []byte("open")
	bShelf    = []byte("shelf")
	bReceipts = []byte("receipts")
	bPosts    = []byte("posts")
	bPending  = []byte("pending")
	bOwn      = []byte("own")
	bPast     = []byte("past")
	bUsed     = []byte("used")
	bAudit    = []byte("audit")
	bErase    = []byte("erase")

	kSchema   = []byte("schema")
	kFiles    = "files"
	kRestored = []byte("restored")
	kRestore  = []byte("restore")
	kMark     = "mark-"
	kJudged   = "judged-"
	kBallots  = []byte("ballots")
	kAside    = []byte("aside")
	kShut     = []byte("shut")
)

// upgrade brings a file one schema further, inside the one transaction that brings it all the way.
type upgrade func(*bolt.Tx) error

// upgrades is append-only: the schema version of a file is the number of upgrades it has had.
func upgrades() []upgrade {
	return []upgrade{
		func(tx *bolt.Tx) error {
			for _, name := range [][]byte{bTeams, bRounds, bAsked, bDue, bOpen, bShelf, bReceipts, bPosts, bPending, bOldPrompts, bOldHistory, bAudit, bErase} {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			return nil
		},
		libraryOfAllKinds,
	}
}

// Options are the few things about a file that may be chosen.
type Options struct {
	MaxSize  int           // bytes the file may grow to; 0: 2 GiB
	Timeout  time.Duration // to wait for the lock; 0: five seconds
	upgrades []upgrade     // tests only
	strict   bool          // tests: check after every commit
	step     func(string)  // tests: called between the steps of what a kill may cut
}

func (o Options) filled() Options {
	if o.MaxSize == 0 {
		o.MaxSize = 2 << 30
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.upgrades == nil {
		o.upgrades = upgrades()
	}
	if o.step == nil {
		o.step = func(string) {}
	}
	return o
}

// DB is a bot.Store on one bbolt file.
type DB struct {
	root *os.Root
	name string
	o    Options

	mu     sync.RWMutex // held whole only while the file is swapped
	bolt   *bolt.DB
	file   *os.File                      // bbolt's own descriptor
	page   int                           // size of a page
	ours   atomic.Pointer[[]fs.FileInfo] // the open file; two while one takes the other's place
	closed atomic.Bool
	broken atomic.Bool

	writing sync.Mutex // one write transaction, with the look at what became of it
	backups sync.Mutex // one at a time

	queueMu sync.Mutex
	queue   []*call
	leading bool

	brokenCh chan struct{}
}

var _ bot.Store = (*DB)(nil)

// Open opens the store, creating it if it does not exist, and brings it to this program's schema. What a cut swap,
// creation or upgrade left beside it is overwritten and removed. Errors: ErrLocked, ErrNewer, ErrDamaged.
func Open(root *os.Root, name string, o Options) (*DB, error) {
	d := &DB{root: root, name: name, o: o.filled(), brokenCh: make(chan struct{})}
	if err := d.open(); err != nil {
		return nil, err
	}
	if err := d.settle(); err != nil {
		d.bolt.Close()
		return nil, err
	}
	return d, nil
}

// open takes the lock first and looks second: until then another process may be swapping the file, and whoever waited
// for its lock then holds a file that has no name any more.
func (d *DB) open() error {
	until := time.Now().Add(d.o.Timeout)
	for {
		if _, err := d.root.Stat(d.name); errors.Is(err, fs.ErrNotExist) {
			if err := d.create(); err != nil && !errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("create %s: %w", d.name, err)
			}
		}
		b, f, info, err := attach(d.root, d.name, false, d.o, until)
		if info != nil { // what was opened may be no longer what stands there, whatever came of it
			if now, serr := d.root.Stat(d.name); serr != nil || !os.SameFile(now, info) {
				if b != nil {
					b.Close()
				}
				if time.Now().After(until) {
					return fmt.Errorf("open %s: %w", d.name, ErrLocked)
				}
				continue
			}
		}
		if err != nil {
			return err
		}
		d.bolt, d.file, d.page = b, f, b.Info().PageSize
		d.ours.Store(&[]fs.FileInfo{info})
		return nil
	}
}

// settle brings a locked file to this program's schema and clears away what was left beside it. A file that a newer
// program wrote stays as it is, with everything beside it.
func (d *DB) settle() error {
	var have uint64
	if err := d.bolt.View(func(tx *bolt.Tx) error { have = schemaOf(tx); return nil }); err != nil {
		return err
	}
	want := uint64(len(d.o.upgrades))
	switch {
	case have > want:
		return fmt.Errorf("schema %d, this program knows %d: %w", have, want, ErrNewer)
	case have == 0: // a new one has its schema before it gets the store's name
		return fmt.Errorf("open %s: %w: it is no store of this program", d.name, ErrDamaged)
	}
	if err := d.sweep(isHalf); err != nil {
		return err
	}
	if have < want {
		if err := d.upgrade(have); err != nil {
			return err
		}
	}
	return d.sweep(isCopy) // now that the store itself has proved to be good
}

// create makes an empty store under another name first: a file with the store's own name is always whole (S3). The name
// is random, so that two who create at once do not share a file; fs.ErrExist: the other was first.
func (d *DB) create() error {
	d.o.step("creating")
	name := d.name + ".new-" + strconv.FormatUint(rand.Uint64(), 36)
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	b, _, _, err := attach(d.root, name, true, d.o, time.Now().Add(d.o.Timeout))
	if err != nil {
		return errors.Join(err, d.root.Remove(name))
	}
	err = b.Update(func(tx *bolt.Tx) error { return d.climb(tx, 0) })
	if err := errors.Join(err, b.Sync(), b.Close()); err != nil {
		return errors.Join(err, d.root.Remove(name))
	}
	d.o.step("created")
	if err := publish(d.root, name, d.name, d.o.step); err != nil {
		return errors.Join(err, d.root.Remove(name))
	}
	return nil
}

// attach opens a file that exists and locks it. It also returns bbolt's descriptor, and what was opened even where
// opening failed. Only one that is being made may be empty. Errors: ErrLocked, ErrDamaged.
func attach(root *os.Root, name string, made bool, o Options, until time.Time) (b *bolt.DB, f *os.File, info fs.FileInfo, err error) {
	// Damage makes bbolt panic, or the kernel fault on a page that is not there.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("open %s: %w", name, ErrDamaged)
			if f != nil {
				f.Close() // bbolt does not get to it, and it holds the lock
			}
			b = nil
		}
	}()
	b, err = bolt.Open(name, 0o600, &bolt.Options{
		Timeout: max(time.Until(until), time.Nanosecond), FreelistType: bolt.FreelistMapType,
		InitialMmapSize: min(1<<30, o.MaxSize), MaxSize: o.MaxSize,
		OpenFile: func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
			if f, err = root.OpenFile(name, flag&^os.O_CREATE, mode); err != nil {
				return nil, err
			}
			if info, err = f.Stat(); err != nil {
				f.Close()
				return nil, err
			}
			if err := notEmpty(f); err != nil && !made {
				f.Close()
				return nil, err
			}
			o.step("locking " + name)
			return f, nil
		},
	})
	switch {
	case errors.Is(err, bolterr.ErrTimeout):
		return nil, nil, info, fmt.Errorf("open %s: %w", name, ErrLocked)
	case errors.Is(err, bolterr.ErrInvalid), errors.Is(err, bolterr.ErrChecksum), errors.Is(err, bolterr.ErrVersionMismatch), errors.Is(err, bolterr.ErrInvalidMapping),
		err != nil && strings.HasPrefix(err.Error(), "file size too small"): // bbolt has no name for this one
		return nil, nil, info, fmt.Errorf("open %s: %w", name, ErrDamaged)
	case err != nil:
		return nil, nil, info, fmt.Errorf("open %s: %w", name, err)
	}
	b.StrictMode = o.strict
	now, err := f.Stat()
	if err != nil {
		return nil, nil, info, errors.Join(err, b.Close())
	}
	err = b.View(func(tx *bolt.Tx) error { // touch what every start needs, while a fault is still an error
		if tx.Size() > now.Size() {
			return ErrDamaged
		}
		return tx.ForEach(func([]byte, *bolt.Bucket) error { return nil })
	})
	if err != nil {
		return nil, nil, info, errors.Join(fmt.Errorf("open %s: %w", name, err), b.Close())
	}
	return b, f, info, nil
}

func schemaOf(tx *bolt.Tx) uint64 {
	meta := tx.Bucket(bMeta)
	if meta == nil {
		return 0
	}
	raw := meta.Get(kSchema)
	if len(raw) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(raw)
}

// upgrade runs the upgrades a file has not had, in one transaction, after putting a copy aside. The copy is wiped once
// the transaction has committed.
func (d *DB) upgrade(have uint64) error {
	copied := fmt.Sprintf("%s.schema-%d", d.name, have)
	err := errors.Join(d.wipe(copied), d.wipe(copied+".part"))
	if err == nil {
		err = copyTo(context.Background(), d.bolt, d.root, copied+".part", checkPages, d.o.step)
	}
	if err == nil {
		err = publish(d.root, copied+".part", copied, d.o.step)
	}
	if err != nil {
		return fmt.Errorf("copy before the upgrade: %w", err)
	}
	if err := d.bolt.Update(func(tx *bolt.Tx) error { return d.climb(tx, have) }); err != nil {
		return fmt.Errorf("upgrade from schema %d (a copy stands in %s): %w", have, copied, err)
	}
	d.o.step("upgraded")
	return nil
}

func (d *DB) climb(tx *bolt.Tx, from uint64) error {
	meta, err := tx.CreateBucketIfNotExists(bMeta)
	if err != nil {
		return err
	}
	for _, step := range d.o.upgrades[from:] {
		if err := step(tx); err != nil {
			return err
		}
	}
	return meta.Put(kSchema, binary.BigEndian.AppendUint64(nil, uint64(len(d.o.upgrades))))
}

// Close waits for running operations and closes the file.
func (d *DB) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed.Store(true)
	return d.bolt.Close()
}

// Broken is closed when a write failed in a way that leaves the file unknown.
func (d *DB) Broken() <-chan struct{} { return d.brokenCh }

func (d *DB) breakOff(err error) error {
	if d.broken.CompareAndSwap(false, true) {
		close(d.brokenCh)
	}
	return fmt.Errorf("%w: %w", ErrBroken, err)
}

// Replaced says whether the file under the store's name is no longer the one that is open. It waits for nobody.
func (d *DB) Replaced() bool {
	info, err := d.root.Stat(d.name)
	return err != nil || !slices.ContainsFunc(*d.ours.Load(), func(our fs.FileInfo) bool { return os.SameFile(our, info) })
}

// Healthy says why the store must not be trusted any more: ErrBroken or ErrReplaced. It waits for nobody.
func (d *DB) Healthy() error {
	switch {
	case d.broken.Load():
		return ErrBroken
	case d.Replaced():
		return ErrReplaced
	}
	return nil
}

// view reads in one transaction.
func (d *DB) view(ctx context.Context, f func(*bolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.bolt.View(f)
}

// call is one write that waits for a transaction to share.
type call struct {
	f        func(*bolt.Tx) error
	done     chan struct{}
	err      error
	panicked any
}

// batchSize is how many writes share one transaction at most.
const batchSize = 64

// shared writes together with whatever else came while the last transaction was being written. Alone it waits for
// nobody; bbolt's own Batch would wait for company, or close its batch before the writer is free. f may run twice.
func (d *DB) shared(ctx context.Context, f func(*bolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &call{f: f, done: make(chan struct{})}
	d.queueMu.Lock()
	d.queue = append(d.queue, c)
	if !d.leading {
		d.leading = true
		go d.lead()
	}
	d.queueMu.Unlock()
	<-c.done
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c.err
}

// lead writes batches until nobody waits.
func (d *DB) lead() {
	for {
		d.queueMu.Lock()
		n := min(len(d.queue), batchSize)
		if n == 0 {
			d.leading = false
			d.queueMu.Unlock()
			return
		}
		batch := slices.Clone(d.queue[:n])
		d.queue = slices.Delete(d.queue, 0, n)
		d.queueMu.Unlock()
		d.writeBatch(batch)
	}
}

// writeBatch writes calls in one transaction. One that fails is taken out, and the rest is written without it. It may
// have failed on what another call of the batch did, which nobody knows to last before the batch is on the disk: so it
// is asked again, alone, after the batch, and that answer counts.
func (d *DB) writeBatch(batch []*call) {
	var later []*call
	for len(batch) > 0 {
		failed := -1
		err := d.update(context.Background(), func(tx *bolt.Tx) error {
			for i, c := range batch {
				if c.err = c.try(tx); c.err != nil || c.panicked != nil {
					failed = i
					return errFailed
				}
			}
			return nil
		})
		switch {
		case failed == 0 && errors.Is(err, errFailed): // the first has seen nothing but what is on the disk
			close(batch[0].done)
			batch = batch[1:]
			continue
		case errors.Is(err, errFailed):
			later = append(later, batch[failed])
			batch = slices.Delete(batch, failed, failed+1)
			continue
		}
		for _, c := range batch {
			c.err = err
			close(c.done)
		}
		break
	}
	for _, c := range later {
		err := d.update(context.Background(), func(tx *bolt.Tx) error {
			if err := c.try(tx); err != nil {
				return err
			}
			if c.panicked != nil {
				return errFailed
			}
			return nil
		})
		c.err = err
		close(c.done)
	}
}

// errFailed rolls a batch back because of one of its calls.
var errFailed = errors.New("a call of the batch failed")

// try runs a call and keeps its panic for its caller.
func (c *call) try(tx *bolt.Tx) error {
	defer func() { c.panicked = recover() }()
	return c.f(tx)
}

// update writes in one transaction of its own. f's own error comes back as it is.
func (d *DB) update(ctx context.Context, f func(*bolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.broken.Load() {
		return ErrBroken
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	d.writing.Lock()
	defer d.writing.Unlock()
	var own error
	var meta metas
	err := d.bolt.Update(func(tx *bolt.Tx) error {
		if meta, own = d.readMetas(); own == nil {
			own = f(tx)
		}
		return own
	})
	switch {
	case err == nil:
		return nil
	case own != nil, d.closed.Load():
		return err
	case !full(err):
		return d.breakOff(err)
	}
	// There was no space for a page. If it was the page that makes the transaction count, part of it may stand there,
	// and nobody knows which state the file is in; if not, the transaction never happened.
	if now, merr := d.readMetas(); merr != nil || now != meta {
		return d.breakOff(err)
	}
	return fmt.Errorf("%w: %w", bot.ErrFull, err)
}

// metas is what stands in the two pages that say which state of the file counts: header, meta and checksum.
type metas [2][128]byte

func (d *DB) readMetas() (m metas, err error) {
	for i := range m {
		if _, err := d.file.ReadAt(m[i][:], int64(i*d.page)); err != nil {
			return m, fmt.Errorf("read meta page: %w", err)
		}
	}
	return m, nil
}

// full says whether a failed commit or write only lacked space. A failed sync never counts, whatever its reason: the
// kernel may have dropped the pages it could not write. bbolt returns a write's error whole, a sync's as a bare number,
// and the error of growing the file as text only. Its version is fixed, and a test holds the text.
func full(err error) bool {
	if errors.Is(err, bolterr.ErrMaxSizeReached) {
		return true
	}
	for _, why := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if path, ok := errors.AsType[*fs.PathError](err); ok && path.Op == "write" && path.Err == why {
			return true
		}
		if text := err.Error(); strings.HasPrefix(text, "file resize error: ") && strings.HasSuffix(text, ": "+why.Error()) {
			return true
		}
	}
	return false
}

// ---- small parts

func stamp(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t.UTC().UnixNano()))
}

func unstamp(b []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(b))).UTC()
}

func get[T any](b *bolt.Bucket, key string) (T, error) {
	var v T
	raw := b.Get([]byte(key))
	if raw == nil {
		return v, bot.ErrNotFound
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("read record: %w", err)
	}
	return v, nil
}

func put(b *bolt.Bucket, key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return b.Put([]byte(key), raw)
}

func zero(key string, parts ...string) []byte {
	out := []byte(key)
	for _, p := range parts {
		out = append(append(out, 0), p...)
	}
	return out
}

// agenda moves a record's entry from its old moment to its new one.
func agenda(tx *bolt.Tx, kind byte, id string, old, now time.Time) error {
	if old.Equal(now) {
		return nil
	}
	due := tx.Bucket(bDue)
	if !old.IsZero() {
		if err := due.Delete(append(append(stamp(old), kind), id...)); err != nil {
			return err
		}
	}
	if now.IsZero() {
		return nil
	}
	return due.Put(append(append(stamp(now), kind), id...), nil)
}

// Due implements bot.Agenda.
func (d *DB) Due(ctx context.Context, now time.Time, limit int) (tasks []bot.Task, next time.Time, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		c := tx.Bucket(bDue).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			at := unstamp(k[:8])
			if at.After(now) {
				next = at
				return nil
			}
			if len(tasks) == limit {
				next = at
				return nil
			}
			t := bot.Task{At: at}
			if k[8] == 'r' {
				t.Round = bot.RoundID(k[9:])
			} else {
				t.Team = bot.TeamID(k[9:])
			}
			tasks = append(tasks, t)
		}
		return nil
	})
	return tasks, next, err
}

// ---- teams

// Teams implements bot.Teams.
func (d *DB) Teams(ctx context.Context) (teams []bot.Team, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		return tx.Bucket(bTeams).ForEach(func(_, raw []byte) error {
			var t bot.Team
			if err := json.Unmarshal(raw, &t); err != nil {
				return fmt.Errorf("read team: %w", err)
			}
			teams = append(teams, t)
			return nil
		})
	})
	return teams, err
}

// Team implements bot.Teams.
func (d *DB) Team(ctx context.Context, id bot.TeamID) (t bot.Team, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) (err error) {
		t, err = get[bot.Team](tx.Bucket(bTeams), string(id))
		return err
	})
	return t, err
}

// UpdateTeam implements bot.Teams.
func (d *DB) UpdateTeam(ctx context.Context, id bot.TeamID, edit func(*bot.Team) (bot.Also, error)) error {
	return d.shared(ctx, func(tx *bolt.Tx) error {
		return editTeam(tx, id, true, edit)
	})
}

// editTeam changes a team and does what belongs to the same step.
func editTeam(tx *bolt.Tx, id bot.TeamID, create bool, edit func(*bot.Team) (bot.Also, error)) error {
	teams := tx.Bucket(bTeams)
	t, err := get[bot.Team](teams, string(id))
	if errors.Is(err, bot.ErrNotFound) && create {
		t, err = bot.Team{ID: id}, nil
	}
	if err != nil {
		return err
	}
	old := t.Wake()
	also, err := edit(&t)
	if err != nil {
		return err
	}
	t.ID = id
	if err := put(teams, string(id), t); err != nil {
		return err
	}
	if err := agenda(tx, 't', string(id), old, t.Wake()); err != nil {
		return err
	}
	return alongside(tx, also)
}

// MoveTeam implements bot.Teams.
func (d *DB) MoveTeam(ctx context.Context, id, to bot.TeamID) error {
	return d.shared(ctx, func(tx *bolt.Tx) error {
		teams, rounds, asked, rows := tx.Bucket(bTeams), tx.Bucket(bRounds), tx.Bucket(bAsked), tx.Bucket(bPosts)
		t, err := get[bot.Team](teams, string(id))
		if err != nil {
			return err
		}
		if teams.Get([]byte(to)) != nil {
			return bot.ErrExists
		}
		t.ID = to
		err = errors.Join(put(teams, string(to), t), teams.Delete([]byte(id)),
			agenda(tx, 't', string(id), t.Wake(), time.Time{}), agenda(tx, 't', string(to), time.Time{}, t.Wake()))
		if err != nil {
			return err
		}
		var moved []bot.Round
		prefix := zero(string(id), "")
		c := asked.Cursor()
		for k, round := c.Seek(prefix); k != nil && strings.HasPrefix(string(k), string(prefix)); k, round = c.Next() {
			r, err := get[bot.Round](rounds, string(round))
			if err != nil {
				return err
			}
			moved = append(moved, r)
		}
		for _, r := range moved {
			if err := asked.Delete(askedKey(r)); err != nil {
				return err
			}
			r.Team = to
			if err := errors.Join(put(rounds, string(r.ID), r), asked.Put(askedKey(r), []byte(r.ID))); err != nil {
				return err
			}
		}
		var posts []row
		err = rows.ForEach(func(_, raw []byte) error {
			var r row
			if err := json.Unmarshal(raw, &r); err != nil {
				return fmt.Errorf("read post: %w", err)
			}
			if r.Team == id {
				posts = append(posts, r)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, r := range posts {
			r.Team = to
			if err := put(rows, string(r.ID), r); err != nil {
				return err
			}
		}
		return nil
	})
}

func alongside(tx *bolt.Tx, also bot.Also) error {
	if err := queue(tx, also.Posts); err != nil {
		return err
	}
	if err := judge(tx, also.Judged); err != nil {
		return err
	}
	audit := tx.Bucket(bAudit)
	for _, entry := range also.Audit {
		n, err := audit.NextSequence()
		if err != nil {
			return err
		}
		if err := put(audit, string(binary.BigEndian.AppendUint64(nil, n)), entry); err != nil {
			return err
		}
	}
	return nil
}

// Audit implements bot.AuditLog.
func (d *DB) Audit(ctx context.Context) (entries []bot.AuditEntry, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		return tx.Bucket(bAudit).ForEach(func(_, raw []byte) error {
			e, err := auditEntry(raw)
			entries = append(entries, e)
			return err
		})
	})
	return entries, err
}

func auditEntry(raw []byte) (e bot.AuditEntry, err error) {
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, fmt.Errorf("read audit entry: %w", err)
	}
	return e, nil
}

// ForgetAudit implements bot.AuditLog.
func (d *DB) ForgetAudit(ctx context.Context, before time.Time) error {
	old := func(tx *bolt.Tx) (keys [][]byte, err error) {
		c := tx.Bucket(bAudit).Cursor()
		for k, raw := c.First(); k != nil; k, raw = c.Next() {
			e, err := auditEntry(raw)
			if err != nil {
				return nil, err
			}
			if e.At.Before(before) {
				keys = append(keys, slices.Clone(k))
			}
		}
		return keys, nil
	}
	var some [][]byte
	names := false
	err := d.view(ctx, func(tx *bolt.Tx) (err error) {
		if some, err = old(tx); err == nil {
			names, err = forgetEditors(tx, before, false)
		}
		return err
	})
	if err != nil || len(some) == 0 && !names {
		return err
	}
	return d.shared(ctx, func(tx *bolt.Tx) error {
		keys, err := old(tx)
		if err != nil {
			return err
		}
		if _, err := forgetEditors(tx, before, true); err != nil {
			return err
		}
		for _, k := range keys {
			if err := tx.Bucket(bAudit).Delete(k); err != nil {
				return err
			}
		}
		return markErase(tx, bAudit)
	})
}

// ---- rounds

func askedKey(r bot.Round) []byte {
	return append(zero(string(r.Team), string(r.Kind), ""), stamp(r.Due)...)
}

// PlanRound implements bot.Rounds.
func (d *DB) PlanRound(ctx context.Context, r bot.Round, edit func(*bot.Team) (bot.Also, error)) error {
	return d.shared(ctx, func(tx *bolt.Tx) error {
		asked, rounds := tx.Bucket(bAsked), tx.Bucket(bRounds)
		key := askedKey(r)
		if asked.Get(key) != nil || rounds.Get([]byte(r.ID)) != nil {
			return bot.ErrExists
		}
		if err := editTeam(tx, r.Team, false, edit); err != nil {
			return err
		}
		if err := asked.Put(key, []byte(r.ID)); err != nil {
			return err
		}
		if r.State == bot.RoundOpen {
			box, err := tx.Bucket(bOpen).CreateBucket([]byte(r.ID))
			if err != nil {
				return err
			}
			for _, name := range [][]byte{kBallots, kAside} {
				if _, err := box.CreateBucket(name); err != nil {
					return err
				}
			}
		}
		if err := put(rounds, string(r.ID), r); err != nil {
			return err
		}
		return agenda(tx, 'r', string(r.ID), time.Time{}, r.Wake())
	})
}

// Round implements bot.Rounds.
func (d *DB) Round(ctx context.Context, id bot.RoundID) (r bot.Round, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) (err error) {
		r, err = get[bot.Round](tx.Bucket(bRounds), string(id))
		return err
	})
	return r, err
}

// Rounds implements bot.Rounds.
func (d *DB) Rounds(ctx context.Context, team bot.TeamID) (all []bot.Round, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		rounds := tx.Bucket(bRounds)
		c := tx.Bucket(bAsked).Cursor()
		prefix := zero(string(team), "")
		for k, id := c.Seek(prefix); k != nil && len(k) > len(prefix) && string(k[:len(prefix)]) == string(prefix); k, id = c.Next() {
			r, err := get[bot.Round](rounds, string(id))
			if err != nil {
				return err
			}
			all = append(all, r)
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b bot.Round) int { return a.Due.Compare(b.Due) })
	return all, err
}

// UpdateRound implements bot.Rounds.
func (d *DB) UpdateRound(ctx context.Context, id bot.RoundID, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	return d.shared(ctx, func(tx *bolt.Tx) error { return editRound(tx, id, edit) })
}

func editRound(tx *bolt.Tx, id bot.RoundID, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	rounds := tx.Bucket(bRounds)
	r, err := get[bot.Round](rounds, string(id))
	if err != nil {
		return err
	}
	was, key := r.Wake(), askedKey(r)
	team := r.Team
	err = editTeam(tx, team, false, func(t *bot.Team) (bot.Also, error) { return edit(&r, t) })
	if err != nil {
		return err
	}
	r.ID, r.Team = id, team
	if string(askedKey(r)) != string(key) {
		return errors.New("the due moment and kind of a round never change")
	}
	if err := put(rounds, string(id), r); err != nil {
		return err
	}
	if box := tx.Bucket(bOpen).Bucket([]byte(id)); box != nil && r.State != bot.RoundOpen {
		if err := box.Put(kShut, []byte{1}); err != nil {
			return err
		}
	}
	return agenda(tx, 'r', string(id), was, r.Wake())
}

// ---- ballots

// openBox finds the box of a round that takes ballots.
func openBox(tx *bolt.Tx, id bot.RoundID) (*bolt.Bucket, error) {
	box := tx.Bucket(bOpen).Bucket([]byte(id))
	if box == nil {
		if tx.Bucket(bRounds).Get([]byte(id)) == nil {
			return nil, bot.ErrNotFound
		}
		return nil, bot.ErrClosed
	}
	if box.Get(kShut) != nil {
		return nil, bot.ErrClosed
	}
	return box, nil
}

// Cast implements bot.Ballots.
func (d *DB) Cast(ctx context.Context, round bot.RoundID, at bot.Address, edit func(bot.Slip) (bot.Slip, error)) error {
	return d.shared(ctx, func(tx *bolt.Tx) error {
		box, err := openBox(tx, round)
		if err != nil {
			return err
		}
		ballots, aside := box.Bucket(kBallots), box.Bucket(kAside)
		old := bot.Slip{Ballot: ballots.Get(at[:]), Aside: aside.Get(at[:])}
		now, err := edit(bot.Slip{Ballot: slices.Clone(old.Ballot), Aside: slices.Clone(old.Aside)})
		if err != nil {
			return err
		}
		if err := lay(ballots, at, old.Ballot, now.Ballot); err != nil {
			return err
		}
		return lay(aside, at, old.Aside, now.Aside)
	})
}

func lay(b *bolt.Bucket, at bot.Address, old, now []byte) error {
	switch {
	case now == nil && old == nil:
		return nil
	case now == nil:
		return b.Delete(at[:])
	}
	return b.Put(at[:], now)
}

// Slip implements bot.Ballots.
func (d *DB) Slip(ctx context.Context, round bot.RoundID, at bot.Address) (s bot.Slip, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		box, err := openBox(tx, round)
		if err != nil {
			return err
		}
		s.Ballot = slices.Clone(box.Bucket(kBallots).Get(at[:]))
		s.Aside = slices.Clone(box.Bucket(kAside).Get(at[:]))
		return nil
	})
	return s, err
}

// Box implements bot.Ballots.
func (d *DB) Box(ctx context.Context, round bot.RoundID) (all []bot.SealedBallot, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		box := tx.Bucket(bOpen).Bucket([]byte(round))
		if box == nil {
			return bot.ErrNotFound
		}
		return box.Bucket(kBallots).ForEach(func(at, sealed []byte) error {
			all = append(all, bot.SealedBallot{Address: bot.Address(at), Sealed: slices.Clone(sealed)})
			return nil
		})
	})
	return all, err
}

// Release implements bot.Ballots.
func (d *DB) Release(ctx context.Context, round bot.RoundID, replies []bot.SealedReply, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		open := tx.Bucket(bOpen)
		box := open.Bucket([]byte(round))
		if box == nil {
			return bot.ErrNotFound
		}
		if err := editRound(tx, round, edit); err != nil {
			return err
		}
		// One by one: bbolt walks a changed bucket's children while it deletes them, and would leave every second one.
		for _, name := range [][]byte{kBallots, kAside} {
			if err := box.DeleteBucket(name); err != nil {
				return err
			}
		}
		if err := open.DeleteBucket([]byte(round)); err != nil {
			return err
		}
		if len(replies) > 0 {
			shelf, err := tx.Bucket(bShelf).CreateBucket([]byte(round))
			if err != nil {
				return err
			}
			receipts := tx.Bucket(bReceipts)
			for _, r := range replies {
				if err := shelf.Put([]byte(r.ID), append(slices.Clone(r.Receipt[:]), r.Sealed...)); err != nil {
					return err
				}
				if r.Receipt != [32]byte{} {
					if err := receipts.Put(r.Receipt[:], zero(string(round), string(r.ID))); err != nil {
						return err
					}
				}
			}
		}
		return markErase(tx, []byte(round))
	})
}

// ---- shelf

// Shelf implements bot.Shelf.
func (d *DB) Shelf(ctx context.Context, round bot.RoundID) (all []bot.SealedReply, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		shelf := tx.Bucket(bShelf).Bucket([]byte(round))
		if shelf == nil {
			return nil
		}
		return shelf.ForEach(func(id, raw []byte) error {
			if len(raw) < 32 {
				return errors.New("released reply is cut short")
			}
			all = append(all, bot.SealedReply{ID: bot.ReplyID(id), Receipt: [32]byte(raw[:32]), Sealed: slices.Clone(raw[32:])})
			return nil
		})
	})
	return all, err
}

// Unshelve implements bot.Shelf.
func (d *DB) Unshelve(ctx context.Context, receipt [32]byte, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		receipts := tx.Bucket(bReceipts)
		at := receipts.Get(receipt[:])
		if at == nil {
			return bot.ErrNotFound
		}
		i := slices.Index(at, 0)
		if i < 0 {
			return errors.New("receipt index is damaged")
		}
		round, reply := bot.RoundID(at[:i]), slices.Clone(at[i+1:])
		if err := editRound(tx, round, edit); err != nil {
			return err
		}
		if shelf := tx.Bucket(bShelf).Bucket([]byte(round)); shelf != nil {
			if err := shelf.Delete(reply); err != nil {
				return err
			}
		}
		if err := receipts.Delete(receipt[:]); err != nil {
			return err
		}
		return markErase(tx, []byte(round))
	})
}

// ClearShelf implements bot.Shelf.
func (d *DB) ClearShelf(ctx context.Context, round bot.RoundID, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		if err := editRound(tx, round, edit); err != nil {
			return err
		}
		if err := clearShelf(tx, round); err != nil {
			return err
		}
		return markErase(tx, []byte(round))
	})
}

// clearShelf takes a round's replies away, with their receipts.
func clearShelf(tx *bolt.Tx, round bot.RoundID) error {
	shelves, receipts := tx.Bucket(bShelf), tx.Bucket(bReceipts)
	shelf := shelves.Bucket([]byte(round))
	if shelf == nil {
		return nil
	}
	err := shelf.ForEach(func(_, raw []byte) error {
		if len(raw) < 32 {
			return nil
		}
		return receipts.Delete(raw[:32])
	})
	if err != nil {
		return err
	}
	return shelves.DeleteBucket([]byte(round))
}

// ---- outbox

// row is a post with its place in the queue.
type row struct {
	bot.Post
	Sequence uint64 `json:"sequence"`
}

func (r row) key() []byte {
	return binary.BigEndian.AppendUint64(stamp(r.After), r.Sequence)
}

func (r row) waits() bool { return r.State == bot.PostQueued || r.State == bot.PostSending }

func queue(tx *bolt.Tx, posts []bot.Post) error {
	rows, pending := tx.Bucket(bPosts), tx.Bucket(bPending)
	for _, p := range posts {
		if rows.Get([]byte(p.ID)) != nil {
			continue
		}
		n, err := pending.NextSequence()
		if err != nil {
			return err
		}
		r := row{Post: p, Sequence: n}
		if err := put(rows, string(p.ID), r); err != nil {
			return err
		}
		if r.waits() {
			if err := pending.Put(r.key(), []byte(p.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Queue implements bot.Outbox.
func (d *DB) Queue(ctx context.Context, posts ...bot.Post) error {
	return d.shared(ctx, func(tx *bolt.Tx) error { return queue(tx, posts) })
}

// Pending implements bot.Outbox.
func (d *DB) Pending(ctx context.Context, now time.Time, limit int) (posts []bot.Post, next time.Time, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		rows := tx.Bucket(bPosts)
		c := tx.Bucket(bPending).Cursor()
		for k, id := c.First(); k != nil; k, id = c.Next() {
			after := unstamp(k[:8])
			if after.After(now) || len(posts) == limit {
				next = after
				return nil
			}
			r, err := get[row](rows, string(id))
			if err != nil {
				return err
			}
			posts = append(posts, r.Post)
		}
		return nil
	})
	return posts, next, err
}

// Post implements bot.Outbox.
func (d *DB) Post(ctx context.Context, id bot.PostID) (p bot.Post, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		r, err := get[row](tx.Bucket(bPosts), string(id))
		p = r.Post
		return err
	})
	return p, err
}

// UpdatePost implements bot.Outbox.
func (d *DB) UpdatePost(ctx context.Context, id bot.PostID, edit func(*bot.Post) (bot.Also, error)) error {
	return d.shared(ctx, func(tx *bolt.Tx) error {
		rows, pending := tx.Bucket(bPosts), tx.Bucket(bPending)
		r, err := get[row](rows, string(id))
		if err != nil {
			return err
		}
		old := r
		also, err := edit(&r.Post)
		if err != nil {
			return err
		}
		r.ID = id
		if old.waits() {
			if err := pending.Delete(old.key()); err != nil {
				return err
			}
		}
		if r.waits() {
			if err := pending.Put(r.key(), []byte(id)); err != nil {
				return err
			}
		}
		if err := put(rows, string(id), r); err != nil {
			return err
		}
		return alongside(tx, also)
	})
}
