package store

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
)

// ---- the record

// do is what was asked of the disk.
type do int

const (
	doWrite do = iota
	doTruncate
	doSync // of a file, or of the directory Name
	doSyncAll
	doCreate
	doRename
	doLink
	doUnlink
	doMark
)

// op is one call, before it was done.
type op struct {
	Do       do
	File     int
	Off      int64 // of a write; the new size
	Data     []byte
	Name, To string
	Mark     mark
}

// mark is what the program knows at a point of the record: that it begins something, or that it was told it is done.
type mark struct {
	Step  string
	Done  bool
	State *state            // of the store, once the step is done
	Cast  string            // one ballot of a step of many that was acknowledged by itself
	Slots map[string]string // key slots that are there, by name, once the step is done
	Gone  []string          // bytes that stand nowhere on the disk any more
}

// state is what a store holds: a digest of everything but ballots, and every ballot.
type state struct {
	Records uint64
	Ballots map[string]uint64
}

func stateOf(tx *bolt.Tx) (*state, error) {
	s := &state{Ballots: map[string]uint64{}}
	h := fnv.New64a()
	var walk func(path string, b *bolt.Bucket) error
	walk = func(path string, b *bolt.Bucket) error {
		fmt.Fprintf(h, "%s %d|", path, b.Sequence())
		return b.ForEach(func(k, v []byte) error {
			at := path + "/" + string(k)
			switch {
			case v == nil:
				return walk(at, b.Bucket(k))
			case strings.HasPrefix(path, "open/") && string(k) != string(kShut):
				one := fnv.New64a()
				one.Write(v)
				s.Ballots[at] = one.Sum64()
			default:
				fmt.Fprintf(h, "%s=%s|", at, v)
			}
			return nil
		})
	}
	err := tx.ForEach(func(name []byte, b *bolt.Bucket) error { return walk(string(name), b) })
	s.Records = h.Sum64()
	return s, err
}

// ---- what is lived through, in the process that records

const (
	storeFile = "data/weerklank.db"
	slotDir   = "keys"
)

// keyOf is the key of a slot: bytes that can be found again.
func keyOf(name string) []byte { return fmt.Appendf(nil, "%-64s", "THEKEYOF "+name) }

// nextUpgrades is this program's schema with one more step.
func nextUpgrades() []upgrade {
	return append(upgrades(), func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists([]byte("next"))
		return err
	})
}

// liveThrough does everything that a store and its key slots go through, and marks what it knows.
func liveThrough(r *recorder) error {
	ctx := context.Background()
	roots := map[string]*os.Root{}
	for _, name := range []string{"data", slotDir, "backups", "restored"} {
		root, err := os.OpenRoot(filepath.Join(r.base, name))
		if err != nil {
			return err
		}
		roots[name] = root
	}
	var db *DB
	keys := OpenKeys(roots[slotDir])
	slots := map[string]string{}
	var gone []string
	o := Options{MaxSize: 64 << 20}
	step := func(name string, f func() error) error {
		r.mark(mark{Step: name})
		if err := f(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m := mark{Step: name, Done: true, Slots: maps.Clone(slots), Gone: slices.Clone(gone)}
		if db != nil {
			if err := db.bolt.View(func(tx *bolt.Tx) (err error) { m.State, err = stateOf(tx); return err }); err != nil {
				return err
			}
		}
		r.mark(m)
		return nil
	}
	create := func(names ...string) func() error {
		return func() error {
			for _, n := range names {
				if err := keys.Create(ctx, bot.KeySlot{Name: n, Key: keyOf(n)}); err != nil {
					return err
				}
				slots[n] = string(keyOf(n))
			}
			return nil
		}
	}
	destroy := func(name string) func() error {
		return func() error {
			delete(slots, name)
			err := keys.Destroy(ctx, name)
			gone = append(gone, string(keyOf(name)))
			return err
		}
	}
	slip := func(round string, i, version int) []byte {
		return bytes.Repeat(fmt.Appendf(nil, "BALLOT-%s-%03d-v%d|", round, i, version), 5148/20)
	}
	cast := func(round string, i, version int) error {
		return db.Cast(ctx, bot.RoundID(round), bot.Address{byte(i), byte(len(round))}, func(bot.Slip) (bot.Slip, error) {
			return bot.Slip{Ballot: slip(round, i, version), Aside: []byte("ASIDE-" + round)}, nil
		})
	}
	plan := func(round string) func() error {
		return func() error {
			at := time.Unix(1e9+int64(len(round)+int(round[1])), 0)
			return db.PlanRound(ctx, bot.Round{ID: bot.RoundID(round), Team: "test:0", Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: at, Closes: at}, func(*bot.Team) (bot.Also, error) {
				return bot.Also{Posts: []bot.Post{{ID: bot.PostID(round + "/prompt"), State: bot.PostQueued}}}, nil
			})
		}
	}
	shut := func(round string) func() error {
		return func() error {
			return db.UpdateRound(ctx, bot.RoundID(round), func(r *bot.Round, _ *bot.Team) (bot.Also, error) { r.State = bot.RoundClosing; return bot.Also{}, nil })
		}
	}
	release := func(round string, n int) func() error {
		return func() error {
			var replies []bot.SealedReply
			for i := range n {
				replies = append(replies, bot.SealedReply{ID: bot.ReplyID(fmt.Sprintf("%s-id%02d", round, i)), Receipt: [32]byte{round[1], byte(i + 1)}, Sealed: bytes.Repeat([]byte("REPLY-"+round+"|"), 60)})
			}
			return db.Release(ctx, bot.RoundID(round), replies, func(r *bot.Round, _ *bot.Team) (bot.Also, error) { r.State = bot.RoundClosed; return bot.Also{}, nil })
		}
	}
	erase := func(what ...string) func() error {
		return func() error {
			err := db.Erase(ctx)
			gone = append(gone, what...)
			return err
		}
	}
	several := func(round string, version int) func() error { // one transaction carries many, each acknowledged by itself
		return func() error {
			var all sync.WaitGroup
			errs := make([]error, 24)
			for i := range errs {
				all.Go(func() {
					if errs[i] = cast(round, i, version); errs[i] == nil {
						at := bot.Address{byte(i), byte(len(round))}
						r.mark(mark{Step: "several", Cast: "open/" + round + "/ballots/" + string(at[:])})
					}
				})
			}
			all.Wait()
			return errors.Join(errs...)
		}
	}
	post := func(state bot.PostState) func() error {
		return func() error {
			return db.UpdatePost(ctx, "r1/prompt", func(p *bot.Post) (bot.Also, error) { p.State, p.Attempt = state, p.Attempt+1; return bot.Also{}, nil })
		}
	}
	open := func() (err error) { db, err = Open(roots["data"], "weerklank.db", o); return err }
	type doing struct {
		name string
		f    func() error
	}
	all := []doing{
		{"create", open},
		{"team", func() error {
			return db.UpdateTeam(ctx, "test:0", func(t *bot.Team) (bot.Also, error) { t.Name = "x"; return bot.Also{}, nil })
		}},
		{"slot r1", create("r1.ballot")}, {"plan r1", plan("r1")}, {"sending", post(bot.PostSending)}, {"sent", post(bot.PostSent)},
		{"cast", func() error { return cast("r1", 30, 1) }}, {"several", several("r1", 1)}, {"several", several("r1", 2)}, {"cast", func() error { return cast("r1", 30, 2) }},
		{"slots r2", create("r2.ballot", "r3.ballot")}, {"plan r2", plan("r2")}, {"plan r3", plan("r3")}, {"cast", func() error { return cast("r2", 1, 1) }},
		{"closing", shut("r1")}, {"shelf slot", create("r1.shelf")}, {"release", release("r1", 12)}, {"ballot slot", destroy("r1.ballot")},
		{"erase", erase("BALLOT-r1-", "ASIDE-r1")},
		{"several", several("r2", 1)},
		{"unshelve", func() error { return db.Unshelve(ctx, [32]byte{'1', 3}, keepRound) }}, {"erase", erase()},
		{"compact", func() error { return db.Compact(ctx) }}, {"several", several("r2", 2)},
		{"backup", func() error { return db.Backup(ctx, roots["backups"], "weerklank-1.db", atPlaces) }},
		{"restore", func() error {
			return restore(roots["backups"], "weerklank-1.db", roots["restored"], "weerklank.db", o.filled(), time.Unix(2e9, 0))
		}},
		{"clear shelf", func() error { return db.ClearShelf(ctx, "r1", keepRound) }}, {"shelf slot", destroy("r1.shelf")}, {"erase", erase("REPLY-r1|")},
		{"closing", shut("r2")}, {"too few", release("r2", 0)}, {"ballot slot", destroy("r2.ballot")}, {"erase", erase("BALLOT-r2-", "ASIDE-r2")},
		{"close", func() error { err := db.Close(); db = nil; return err }},
		{"upgrade", func() error { o.upgrades = nextUpgrades(); return open() }},
		{"cast", func() error { return cast("r3", 1, 1) }}, {"compact", func() error { return db.Compact(ctx) }}, {"cast", func() error { return cast("r3", 1, 2) }},
	}
	for _, d := range all {
		if d.name == "close" { // nothing is acknowledged of a store that is closed
			if err := d.f(); err != nil {
				return err
			}
			continue
		}
		if err := step(d.name, d.f); err != nil {
			return err
		}
	}
	return db.Close()
}

// atPlaces is a backup's encryption that does nothing and writes by place, since the record holds no other writes.
func atPlaces(w io.Writer) (io.WriteCloser, error) {
	f, ok := w.(*os.File)
	if !ok {
		return nil, errors.New("a backup is not written to a file")
	}
	return unsealed{io.NewOffsetWriter(f, 0)}, nil
}

// lived records a life of a store and its key slots, and checks that the record is whole: all of it done again gives the
// very same files.
func lived(t *testing.T) []op {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"data", slotDir, "backups", "restored"} {
		if err := os.Mkdir(filepath.Join(base, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), recordEnv+"="+base, "GODEBUG=asyncpreemptoff=1")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		if os.Getenv("CI") == "" && strings.HasPrefix(said.String(), "seccomp: ") {
			t.Skipf("this kernel lets nobody record: %s", &said)
		}
		t.Fatalf("record: %v\n%s", err, &said)
	}
	var log []op
	if err := gob.NewDecoder(&out).Decode(&log); err != nil {
		t.Fatal(err)
	}
	d := newDisk()
	for _, o := range log {
		d.do(o)
	}
	d.settleAll()
	want := map[string]bool{}
	err = filepath.WalkDir(base, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(base, path)
		want[name] = true
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if got := d.files[d.names[name]]; got == nil || !bytes.Equal(got.bytes(), raw) {
			t.Errorf("done again, %s is not the same: the record is not whole", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range d.names {
		if !want[name] {
			t.Errorf("done again, there is %s: the record is not whole", name)
		}
	}
	return log
}

// ---- the disk

const sector = 512

// content is a file's bytes by sector; what is not there is zero.
type content struct {
	sectors map[int64][]byte
	size    int64
}

func (c *content) clone() *content { return &content{maps.Clone(c.sectors), c.size} }

func (c *content) bytes() []byte {
	out := make([]byte, c.size)
	for n, s := range c.sectors {
		if n*sector < c.size {
			copy(out[n*sector:], s)
		}
	}
	return out
}

// apply does a write or a new size. keep says which sectors of it reach the disk; nil: all.
func (c *content) apply(o op, keep func(int64) bool) {
	if o.Do == doTruncate {
		if o.Off < c.size {
			for n := range c.sectors {
				if n*sector >= o.Off {
					delete(c.sectors, n)
				}
			}
		}
		c.size = o.Off
		return
	}
	end := o.Off + int64(len(o.Data))
	for n := o.Off / sector; n*sector < end; n++ {
		if keep != nil && !keep(n) {
			continue
		}
		s := make([]byte, sector)
		copy(s, c.sectors[n])
		from, to := max(o.Off, n*sector), min(end, (n+1)*sector)
		copy(s[from-n*sector:], o.Data[from-o.Off:to-o.Off])
		if c.sectors[n] = s; bytes.Equal(s, make([]byte, sector)) { // as if it were never written
			delete(c.sectors, n)
		}
		c.size = max(c.size, to)
	}
}

// disk is what surely lasts, and what was done since without being made durable.
type disk struct {
	files   map[int]*content
	pending map[int][]op
	names   map[string]int
	moves   []op // of names
}

func newDisk() *disk {
	return &disk{files: map[int]*content{}, pending: map[int][]op{}, names: map[string]int{}}
}

func (d *disk) do(o op) {
	switch o.Do {
	case doCreate:
		d.files[o.File] = &content{sectors: map[int64][]byte{}}
		d.moves = append(d.moves, o)
	case doWrite, doTruncate:
		d.pending[o.File] = append(d.pending[o.File], o)
	case doRename, doLink, doUnlink:
		d.moves = append(d.moves, o)
	case doSync:
		if o.Name == "" {
			for _, p := range d.pending[o.File] {
				d.files[o.File].apply(p, nil)
			}
			delete(d.pending, o.File)
			return
		}
		d.moves = slices.DeleteFunc(d.moves, func(m op) bool {
			if filepath.Dir(m.Name) != o.Name {
				return false
			}
			move(d.names, m)
			return true
		})
	case doSyncAll:
		d.settleAll()
	}
}

func (d *disk) settleAll() {
	for id, all := range d.pending {
		for _, p := range all {
			d.files[id].apply(p, nil)
		}
	}
	clear(d.pending)
	for _, m := range d.moves {
		move(d.names, m)
	}
	d.moves = nil
}

// move changes names; what it needs may be lost, and then it does nothing.
func move(names map[string]int, m op) {
	id, ok := names[m.Name]
	switch m.Do {
	case doCreate:
		if !ok {
			names[m.Name] = m.File
		}
	case doLink:
		if _, there := names[m.To]; ok && !there {
			names[m.To] = id
		}
	case doRename:
		if ok {
			delete(names, m.Name)
			names[m.To] = id
		}
	case doUnlink:
		delete(names, m.Name)
	}
}

// cut is what is found on the disk after the power went: what surely lasts, and any part of the rest.
func (d *disk) cut(random *rand.Rand) (names map[string]int, files map[int]*content) {
	names, files = maps.Clone(d.names), map[int]*content{}
	some := random.IntN(4)
	for _, m := range d.moves {
		if some == 0 || some == 1 && random.IntN(2) == 0 || some == 2 && random.IntN(4) > 0 {
			move(names, m)
		}
	}
	for id, f := range d.files {
		files[id] = f
		todo := d.pending[id]
		if len(todo) == 0 {
			continue
		}
		c := f.clone()
		files[id] = c
		how, upto := random.IntN(6), random.IntN(len(todo)+1)
		lost := random.IntN(len(todo))
		for i, o := range todo {
			switch {
			case how == 0: // nothing
			case how == 1: // everything
				c.apply(o, nil)
			case how == 2: // any sectors
				if o.Do == doWrite || random.IntN(2) == 0 {
					c.apply(o, func(int64) bool { return random.IntN(2) == 0 })
				}
			case how == 3 && random.IntN(2) == 0: // any whole writes
				c.apply(o, nil)
			case how == 4 && i < upto: // up to a point, the last one torn
				c.apply(o, func(int64) bool { return i < upto-1 || random.IntN(2) == 0 })
			case how == 5 && i != lost: // all but one
				c.apply(o, nil)
			}
		}
	}
	return names, files
}

// write lays a disk out as files.
func layOut(dir string, names map[string]int, files map[int]*content) error {
	for _, sub := range []string{"data", slotDir, "backups", "restored"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	first := map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		id, path := names[name], filepath.Join(dir, name)
		if other, ok := first[id]; ok {
			if err := os.Link(other, path); err != nil {
				return err
			}
			continue
		}
		first[id] = path
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		err = f.Truncate(files[id].size)
		all := slices.Sorted(maps.Keys(files[id].sectors))
		for i := 0; i < len(all) && err == nil; {
			from, run := all[i]*sector, []byte(nil)
			for ; i < len(all) && all[i]*sector == from+int64(len(run)); i++ { // side by side
				run = append(run, files[id].sectors[all[i]]...)
			}
			if from < files[id].size {
				_, err = f.WriteAt(run[:min(int64(len(run)), files[id].size-from)], from)
			}
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// ---- what must be so

// known is what the program knew when the power went.
type known struct {
	last  mark            // done
	doing *mark           // begun
	after *mark           // what it will be when it is done
	casts map[string]bool // of the step that is under way, acknowledged
	done  map[string]bool // steps that were ever done

	secrets *secrets
}

// secrets finds what is destroyed sooner or later. A sector never changes, so that each is looked through once.
// What a backup holds of sealed replies stays there; their keys do not (TRUST 13).
type secrets struct {
	all    []string
	seen   map[*byte][]string
	copies map[int]bool
}

func secretsOf(log []op) *secrets {
	s := &secrets{seen: map[*byte][]string{}, copies: map[int]bool{}}
	for _, o := range log {
		if o.Do == doCreate && (strings.HasPrefix(o.Name, "backups/") || strings.HasPrefix(o.Name, "restored/")) {
			s.copies[o.File] = true
		}
		if len(o.Mark.Gone) > len(s.all) {
			s.all = o.Mark.Gone
		}
	}
	return s
}

func (s *secrets) in(sector []byte) []string {
	found, ok := s.seen[&sector[0]]
	if !ok {
		for _, what := range s.all {
			if bytes.Contains(sector, []byte(what)) {
				found = append(found, what)
			}
		}
		s.seen[&sector[0]] = found
	}
	return found
}

func knownAt(log []op, k int) (w known) {
	w.casts, w.done = map[string]bool{}, map[string]bool{}
	for i, o := range log[:k] {
		switch {
		case o.Do != doMark:
		case o.Mark.Cast != "":
			w.casts[o.Mark.Cast] = true
		case o.Mark.Done:
			w.last, w.doing, w.after = o.Mark, nil, nil
			w.done[o.Mark.Step] = true
			clear(w.casts)
		default:
			begun := o.Mark
			w.doing = &begun
			for _, later := range log[i:] {
				if later.Do == doMark && later.Mark.Done {
					w.after = &later.Mark
					break
				}
			}
		}
	}
	return w
}

// readStore opens a file without changing it. Damage makes the library panic or fault: that is an error here.
func readStore(path string) (s *state, rounds []bot.Round, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: %v", filepath.Base(path), p)
		}
	}()
	b, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second, PreLoadFreelist: true})
	if err != nil {
		return nil, nil, err
	}
	defer b.Close()
	err = b.View(func(tx *bolt.Tx) error {
		info, err := os.Stat(path)
		if err == nil && tx.Size() > info.Size() {
			err = errors.New("the file ends before its pages do")
		}
		if err == nil {
			s, err = stateOf(tx)
		}
		if err != nil {
			return err
		}
		if all := tx.Bucket(bRounds); all != nil {
			if err := all.ForEach(func(id, _ []byte) error {
				r, err := get[bot.Round](all, string(id))
				rounds = append(rounds, r)
				return err
			}); err != nil {
				return err
			}
		}
		return check(tx)
	})
	return s, rounds, err
}

// holds says what is wrong with what is found in dir. whole: a start is tried too.
func (w known) holds(dir string, files map[int]*content, whole bool) error {
	path := filepath.Join(dir, storeFile)
	_, err := os.Stat(path)
	missing := errors.Is(err, fs.ErrNotExist)
	keyRoot, err := os.OpenRoot(filepath.Join(dir, slotDir))
	if err != nil {
		return err
	}
	defer keyRoot.Close()
	keys := OpenKeys(keyRoot)
	if missing && w.last.State != nil {
		return errors.New("no store stands under its name")
	}
	if !missing {
		s, rounds, err := readStore(path)
		if err != nil {
			return fmt.Errorf("the store: %w", err)
		}
		if err := w.compare(s); err != nil {
			return err
		}
		for _, r := range rounds {
			if r.State == bot.RoundOpen || r.State == bot.RoundClosing {
				name := string(r.ID) + ".ballot"
				if key, err := keys.Open(context.Background(), name); err != nil || string(key) != string(keyOf(name)) {
					return fmt.Errorf("round %s is %s, and its key slot holds %q (%v)", r.ID, r.State, key, err)
				}
			}
		}
	}
	for name, key := range w.last.Slots {
		got, err := keys.Open(context.Background(), name)
		goes := w.after != nil && w.after.Slots[name] == ""
		if string(got) != key && !(goes && errors.Is(err, bot.ErrNotFound)) {
			return fmt.Errorf("key slot %s holds %q (%v)", name, got, err)
		}
	}
	names, err := keys.Slots(context.Background())
	if err != nil {
		return err
	}
	for _, name := range names { // half of a key is no key
		if key, err := keys.Open(context.Background(), name); !errors.Is(err, bot.ErrNotFound) && string(key) != string(keyOf(name)) {
			return fmt.Errorf("key slot %s holds half of a key: %q (%v)", name, key, err)
		}
	}
	for id, f := range files {
		if w.secrets.copies[id] {
			continue
		}
		for _, s := range f.sectors {
			for _, what := range w.secrets.in(s) {
				if slices.Contains(w.last.Gone, what) {
					return fmt.Errorf("%q was destroyed and stands in file %d", what, id)
				}
			}
		}
	}
	for name, step := range map[string]string{"backups/weerklank-1.db": "backup", "restored/weerklank.db": "restore"} {
		switch _, err := os.Stat(filepath.Join(dir, name)); {
		case err != nil && w.done[step]:
			return fmt.Errorf("%s is not there", name)
		case err == nil:
			if _, _, err := readStore(filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if !whole {
		return nil
	}
	root, err := os.OpenRoot(filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer root.Close()
	db, err := Open(root, "weerklank.db", Options{MaxSize: 64 << 20, upgrades: nextUpgrades()})
	if err != nil {
		return fmt.Errorf("a start: %w", err)
	}
	err = db.Check(context.Background())
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("after a start: %w", err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "data"))
	if err != nil || len(entries) != 1 {
		return fmt.Errorf("after a start there stand %v beside the store (%v)", entries, err)
	}
	return nil
}

// compare says whether a store is in the state that was acknowledged, or in the one that was under way.
func (w known) compare(s *state) error {
	was, will := w.last.State, w.last.State
	if w.after != nil && w.after.State != nil {
		will = w.after.State
	}
	if was == nil { // a store that was being made
		if will == nil || s.Records != will.Records {
			return errors.New("a half store stands under the store's name")
		}
		return nil
	}
	if s.Records != was.Records && s.Records != will.Records {
		return errors.New("its records are neither what was acknowledged nor what was under way")
	}
	if len(w.casts) == 0 && (w.doing == nil || w.doing.Step != "several") {
		whole := func(o *state) bool { return s.Records == o.Records && maps.Equal(s.Ballots, o.Ballots) }
		if !whole(was) && !whole(will) {
			return errors.New("it is in no state that ever was")
		}
		return nil
	}
	for at, now := range s.Ballots {
		if now != was.Ballots[at] && now != will.Ballots[at] {
			return fmt.Errorf("a ballot at %q was never cast", at)
		}
	}
	for at, before := range was.Ballots {
		if s.Ballots[at] != before && s.Ballots[at] != will.Ballots[at] {
			return fmt.Errorf("the ballot at %q is gone", at)
		}
	}
	for at := range w.casts {
		if s.Ballots[at] != will.Ballots[at] {
			return fmt.Errorf("an acknowledged ballot is not there")
		}
	}
	return nil
}

// cuts goes through a record, from a call on, and cuts the power at about every so many calls, again and again, until
// enough was cut or time is up. It returns how often, and the first thing that was wrong.
func cuts(t *testing.T, log []op, from, every int, seed uint64, enough int, until time.Duration) (n int, wrong error) {
	t.Helper()
	dir := t.TempDir()
	if fast, err := os.MkdirTemp("/dev/shm", "weerklank-"); err == nil {
		dir = fast
		defer os.RemoveAll(fast)
	}
	random, found := rand.New(rand.NewPCG(seed, 7)), secretsOf(log)
	began := time.Now()
	var points []int
	for k, o := range log {
		if o.Do != doMark && k >= from {
			points = append(points, k)
		}
	}
	points = append(points, len(log))
	const least = 200 // however slow the machine is
	over := func() bool { return n >= enough || n >= least && time.Since(began) > until }
	for !over() {
		d, next := newDisk(), random.IntN(every)
		at := 0
		for i, k := range points {
			for ; at < k; at++ {
				d.do(log[at])
			}
			if i < next {
				continue
			}
			next = i + 1 + random.IntN(2*every-1)
			torn := d
			if k < len(log) && (log[k].Do == doWrite || log[k].Do == doTruncate) { // under way, it may be there in part
				torn = &disk{files: d.files, names: d.names, moves: d.moves, pending: maps.Clone(d.pending)}
				torn.pending[log[k].File] = append(slices.Clone(torn.pending[log[k].File]), log[k])
			}
			for range 2 {
				names, files := torn.cut(random)
				image := filepath.Join(dir, strconv.Itoa(n))
				err := os.Mkdir(image, 0o700)
				if err == nil {
					err = layOut(image, names, files)
				}
				if err != nil {
					t.Fatal(err)
				}
				w := knownAt(log, k)
				w.secrets = found
				err = w.holds(image, files, n%4 == 0)
				os.RemoveAll(image)
				n++
				if err != nil {
					step := w.last.Step + " was done"
					if w.doing != nil {
						step = w.doing.Step + " was under way"
					}
					return n, fmt.Errorf("cut before call %d of %d (%s): %w", k, len(log), step, err)
				}
			}
			if over() {
				return n, nil
			}
		}
	}
	return n, nil
}

// A life of a store and its key slots, recorded as the kernel saw it, is cut everywhere: of what was not made durable any
// part is there, writes torn by sectors, names in any order. The store opens and is clean, what was acknowledged is there,
// destroyed keys and erased text are nowhere, and an open round has its key (TRUST S2, S3, S16, 2.2, 2.4).
// WEERKLANK_CUTS says how often, WEERKLANK_SEED repeats the choices.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	enough, until := 2000, 6*time.Second
	if text := os.Getenv("WEERKLANK_CUTS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		enough, until = n, time.Hour
	}
	seed := uint64(time.Now().UnixNano() & 0x7fffffff)
	if text := os.Getenv("WEERKLANK_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	log := lived(t)
	if t.Failed() {
		return
	}
	kinds := map[do]int{}
	for _, o := range log {
		kinds[o.Do]++
	}
	began := time.Now()
	n, err := cuts(t, log, 0, 6, seed, enough, until)
	if err != nil {
		t.Error(err)
	}
	t.Logf("WEERKLANK_SEED=%d: %d cuts in %v, in a record of %d writes, %d syncs, %d changes of names", seed, n, time.Since(began).Round(time.Millisecond),
		kinds[doWrite]+kinds[doTruncate], kinds[doSync]+kinds[doSyncAll], kinds[doCreate]+kinds[doLink]+kinds[doRename]+kinds[doUnlink])
	t.Run("planted", func(t *testing.T) { seesPlanted(t, log) })
}

// seesPlanted says that what a program leaves after a cut, which forgets a sync or does things in the wrong order, is
// found: the cuts are not blind.
func seesPlanted(t *testing.T, log []op) {
	isMeta := func(o op) bool {
		return o.Do == doWrite && len(o.Data) == os.Getpagesize() && (o.Off == 0 || o.Off == int64(os.Getpagesize()))
	}
	drop := func(which func(i int) bool) (out []op) {
		for i, o := range log {
			if !which(i) {
				out = append(out, o)
			}
		}
		return out
	}
	during := make([]string, len(log)) // the step that each call belongs to
	step := ""
	for i, o := range log {
		if o.Do == doMark && o.Mark.Cast == "" {
			if step = o.Mark.Step; o.Mark.Done {
				step = ""
			}
		}
		during[i] = step
	}
	last := func(i int) op { // the call before
		for i--; i >= 0; i-- {
			if log[i].Do != doMark {
				return log[i]
			}
		}
		return op{}
	}
	dirSync := func(dir, in string) func(int) bool {
		return func(i int) bool { return log[i].Do == doSync && log[i].Name == dir && during[i] == in }
	}
	metaFirst := slices.Clone(log)
	for i, o := range metaFirst {
		if isMeta(o) { // the page that makes a transaction count goes before what it points at
			for j := i; j > 0 && metaFirst[j-1].Do != doMark && (metaFirst[j-1].Do == doSync || metaFirst[j-1].Do == doWrite && !isMeta(metaFirst[j-1])) && metaFirst[j-1].File == o.File; j-- {
				metaFirst[j-1], metaFirst[j] = metaFirst[j], metaFirst[j-1]
			}
		}
	}
	for name, planted := range map[string][]op{
		"no sync between data and meta page": drop(func(i int) bool {
			return log[i].Do == doSync && log[i].Name == "" && i+1 < len(log) && isMeta(log[i+1])
		}),
		"no sync after the meta page":     drop(func(i int) bool { return log[i].Do == doSync && log[i].Name == "" && isMeta(last(i)) }),
		"meta page before its data":       metaFirst,
		"no sync of the store's new name": drop(dirSync("data", "create")),
		"no sync of the swapped name":     drop(dirSync("data", "compact")),
		"no sync of the restored name":    drop(dirSync("restored", "restore")),
		"no sync of a slot's name": drop(func(i int) bool {
			return log[i].Do == doSync && log[i].Name == slotDir && strings.HasPrefix(during[i], "slot")
		}),
		"no sync of a slot": drop(func(i int) bool {
			return log[i].Do == doSync && log[i].Name == "" && strings.HasPrefix(during[i], "slot")
		}),
		"no sync of a destroyed slot":  drop(func(i int) bool { return log[i].Do == doSync && log[i].Name == "" && during[i] == "ballot slot" }),
		"a slot that is only unlinked": drop(func(i int) bool { return log[i].Do == doWrite && during[i] == "ballot slot" }),
		"no sync of erased pages":      drop(func(i int) bool { return log[i].Do == doSync && during[i] == "erase" }),
		"the old store is not overwritten": drop(func(i int) bool {
			return log[i].Do == doWrite && during[i] == "compact" && len(log[i].Data) > 64<<10 && len(bytes.Trim(log[i].Data, "\x00")) == 0
		}),
	} {
		t.Run(name, func(t *testing.T) {
			if len(planted) == len(log) && name != "meta page before its data" {
				t.Fatal("nothing was planted")
			}
			from := 0
			for from < len(log) && from < len(planted) && planted[from].Do == log[from].Do && planted[from].File == log[from].File && planted[from].Off == log[from].Off && planted[from].Name == log[from].Name {
				from++
			}
			if name == "the old store is not overwritten" { // it tells once its text is to be nowhere
				from = slices.IndexFunc(planted, func(o op) bool { return slices.Contains(o.Mark.Gone, "REPLY-r1|") })
			}
			n, err := cuts(t, planted, from, 1, 1, 5000, 20*time.Second)
			if err == nil {
				t.Fatalf("%d cuts see nothing", n)
			}
			t.Logf("after %d cuts: %v", n, err)
		})
	}
}
