package bot_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
)

// simulated is one closed round and what an attacker holds of it. The attacker is a strong one: they watched the file
// while the round was open, so that they know whose address is whose, and they have the platform's log and the network's.
type simulated struct {
	people  []string          // in the order in which they sent their last version
	address map[string]string // of a person
	request map[string]int    // length of what a person sent
	closed  *image            // the live file after closing
	round   string
	truth   map[string]string // reply ID to person; only to keep the score
}

// The leaks that are planted, to see that the attacker is not blind.
const (
	leakNone     = ""
	leakOrder    = "replies numbered in the order in which they came"
	leakBox      = "replies numbered in the order of the box"
	leakSize     = "replies not padded to one size"
	leakOneByOne = "replies written one by one"
)

// leaky releases replies as a careless program would.
type leaky struct {
	bot.Store
	v    *witness
	leak string
	s    *simulated
	text map[string]string // words to person
}

func (l leaky) Release(ctx context.Context, round bot.RoundID, replies []bot.SealedReply, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	key := l.v.slots[string(round)+".shelf"]
	who := func(r bot.SealedReply) string { return l.text[openedWith(key, string(round), string(r.ID), r.Sealed)] }
	switch l.leak {
	case leakOrder:
		slices.SortFunc(replies, func(a, b bot.SealedReply) int {
			return cmp.Compare(slices.Index(l.s.people, who(a)), slices.Index(l.s.people, who(b)))
		})
	case leakBox:
		slices.SortFunc(replies, func(a, b bot.SealedReply) int { return cmp.Compare(l.s.address[who(a)], l.s.address[who(b)]) })
	}
	for i, r := range replies {
		words := openedWith(key, string(round), string(r.ID), r.Sealed)
		switch l.leak {
		case leakOrder, leakBox:
			replies[i].ID = bot.ReplyID(fmt.Sprintf("%026d", i))
			replies[i].Sealed = sealReplyAs(key, string(round), string(replies[i].ID), words, 256)
		case leakSize:
			replies[i].Sealed = sealReplyAs(key, string(round), string(r.ID), words, 1)
		}
	}
	return l.Store.Release(ctx, round, replies, edit)
}

// openedWith are the words of a reply on the shelf.
func openedWith(key []byte, round, id string, sealed []byte) string {
	for _, k := range keysIn(key) {
		if plain, ok := unseal(k, sealed, boundTo(round, "shelf", []byte(id))); ok {
			return shelfWords(plain)
		}
	}
	return ""
}

// simulate runs one round of six to ten people who reply at random moments in a random order; some think again.
func simulate(t *testing.T, rnd *rand.Rand, leak string) *simulated {
	t.Helper()
	n := 6 + rnd.IntN(5)
	w := newWorld(t, nil)
	defer os.RemoveAll(w.dir)
	w.fake.Crew(crew, n)
	v := newWitness(w)
	s := &simulated{address: map[string]string{}, request: map[string]int{}, truth: map[string]string{}}
	text := map[string]string{}
	v.inner = leaky{Store: w.db, v: v, leak: leak, s: s, text: text}
	v.bot(w)
	w.switchOn(crew, nil)
	w.step(w.team().NextOpens)
	r := w.openRound(crew)
	s.round = string(r.ID)
	slot := keysIn(v.slots[s.round+".ballot"])
	order := rnd.Perm(n)
	var acts []int // people by number, those who think again twice
	for _, i := range order {
		if rnd.IntN(4) == 0 {
			acts = slices.Insert(acts, rnd.IntN(len(acts)+1), i)
		}
		acts = append(acts, i)
	}
	at := r.Opens
	for k, i := range acts {
		person := "p" + strconv.Itoa(i+1)
		at = at.Add(time.Duration(1+rnd.IntN(3600)) * time.Second)
		words := fmt.Sprintf("Woorden van %s, keer %d%s", person, k, strings.Repeat(".", rnd.IntN(120)))
		f := w.fake.From(person, crew)
		f.At = at
		e := bot.FormSubmitted{From: f, Form: "reply", State: s.round, Values: map[string][]string{"text": {words}, "share": {"share"}}}
		if resp, err := w.fake.Send(context.Background(), e); err != nil || resp.Form != nil {
			t.Fatalf("%v %v", err, resp.Errors)
		}
		text[words], s.request[person] = person, len(words)
		s.address[person] = string(addressUnder(slot[0], "fake", "w", person))
		s.people = append(slices.DeleteFunc(s.people, func(p string) bool { return p == person }), person)
	}
	w.step(r.Closes)
	shelf := keysIn(v.slots[s.round+".shelf"])[0]
	w.closeQuietly()
	if leak == leakOneByOne {
		oneByOne(t, filepath.Join(w.dir, "weerklank.db"), s, func(id, sealed []byte) string { return text[openedWith(shelf, s.round, string(id), sealed)] })
	}
	var err error
	if s.closed, err = readImage(w.file()); err != nil {
		t.Fatal(err)
	}
	for _, rec := range s.closed.bucket("shelf", s.round) {
		s.truth[string(rec.key)] = text[openedWith(shelf, s.round, string(rec.key), rec.value[32:])]
	}
	if len(s.truth) != n {
		t.Fatalf("%d replies of %d people", len(s.truth), n)
	}
	return s
}

// closeQuietly closes the store without reading all of it.
func (w *world) closeQuietly() {
	w.t.Helper()
	if err := w.db.Close(); err != nil {
		w.t.Error(err)
	}
}

// oneByOne lays a round's shelf again, each reply in a transaction of its own, in the order in which they came.
func oneByOne(t *testing.T, file string, s *simulated, who func(id, sealed []byte) string) {
	t.Helper()
	db, err := bolt.Open(file, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	type laid struct{ id, value []byte }
	var all []laid
	err = db.Update(func(tx *bolt.Tx) error {
		shelf := tx.Bucket([]byte("shelf"))
		err := shelf.Bucket([]byte(s.round)).ForEach(func(k, v []byte) error {
			all = append(all, laid{bytes.Clone(k), bytes.Clone(v)})
			return nil
		})
		if err == nil {
			err = shelf.DeleteBucket([]byte(s.round))
		}
		if err == nil {
			_, err = shelf.CreateBucket([]byte(s.round))
		}
		return err
	})
	slices.SortFunc(all, func(a, b laid) int {
		return cmp.Compare(slices.Index(s.people, who(a.id, a.value[32:])), slices.Index(s.people, who(b.id, b.value[32:])))
	})
	var readers []*bolt.Tx
	for _, r := range all { // somebody is reading all the time: old states of a page are not written over
		reader, rerr := db.Begin(false)
		readers = append(readers, reader)
		err = errors.Join(err, rerr, db.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte("shelf")).Bucket([]byte(s.round)).Put(r.id, r.value) }))
	}
	for _, reader := range readers {
		err = errors.Join(err, reader.Rollback())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// replyOrders are the orders in which an attacker can lay the replies, by what the file shows of them.
func (s *simulated) replyOrders() map[string][]string {
	recs := s.closed.bucket("shelf", s.round)
	versions := map[string]int{} // in how many states of a page that were not overwritten
	for _, r := range s.closed.stale() {
		versions[string(r.key)]++
	}
	index := map[string]int{}
	for i, r := range s.closed.bucket("receipts") {
		_, id, _ := strings.Cut(string(r.value), "\x00")
		index[id] = i
	}
	by := func(less func(a, b record) int) (ids []string) {
		for _, r := range slices.SortedStableFunc(slices.Values(recs), less) {
			ids = append(ids, string(r.key))
		}
		return ids
	}
	return map[string][]string{
		"number":            by(func(a, b record) int { return bytes.Compare(a.key, b.key) }),
		"receipt":           by(func(a, b record) int { return bytes.Compare(a.value[:32], b.value[:32]) }),
		"place of receipt":  by(func(a, b record) int { return cmp.Compare(index[string(a.key)], index[string(b.key)]) }),
		"place in the file": by(func(a, b record) int { return cmp.Compare(a.at, b.at) }),
		"size":              by(func(a, b record) int { return cmp.Compare(len(a.value), len(b.value)) }),
		"states of a page":  by(func(a, b record) int { return cmp.Compare(versions[string(b.key)], versions[string(a.key)]) }),
		"first byte sealed": by(func(a, b record) int { return bytes.Compare(a.value[32:], b.value[32:]) }),
	}
}

// peopleOrders are the orders in which an attacker can lay the people, by what is known of them.
func (s *simulated) peopleOrders() map[string][]string {
	by := func(less func(a, b string) int) []string {
		return slices.SortedStableFunc(slices.Values(s.people), less)
	}
	return map[string][]string{
		"arrival": s.people,
		"address": by(func(a, b string) int { return cmp.Compare(s.address[a], s.address[b]) }),
		"request": by(func(a, b string) int { return cmp.Compare(s.request[a], s.request[b]) }),
		"account": by(cmp.Compare[string]),
	}
}

// links counts, for each pair of orders, how often the first or last of one is the first or last of the other.
type links struct {
	hits   int
	chance []float64
}

func attackRounds(t *testing.T, seed uint64, rounds int, leak string) map[string]*links {
	t.Helper()
	if _, err := os.Stat("/dev/shm"); err == nil { // in memory, where there is such a place: hundreds of stores are made
		t.Setenv("TMPDIR", "/dev/shm")
	}
	cryptotest.SetGlobalRandom(t, seed)
	rnd := rand.New(rand.NewPCG(seed, 2))
	scores := map[string]*links{}
	for range rounds {
		s := simulate(t, rnd, leak)
		for reply, ids := range s.replyOrders() {
			for person, names := range s.peopleOrders() {
				for end, i := range map[string]int{"first": 0, "last": len(ids) - 1} {
					name := fmt.Sprintf("%s by %s, %s", reply, person, end)
					if scores[name] == nil {
						scores[name] = &links{}
					}
					scores[name].chance = append(scores[name].chance, 1/float64(len(ids)))
					if s.truth[ids[i]] == names[i] {
						scores[name].hits++
					}
				}
			}
		}
	}
	return scores
}

// luck is how likely somebody who only guesses has at least that many hits.
func (s *links) luck() float64 {
	p := []float64{1} // of 0, 1, 2, … hits
	for _, c := range s.chance {
		next := make([]float64, len(p)+1)
		for i, q := range p {
			next[i] += q * (1 - c)
			next[i+1] += q * c
		}
		p = next
	}
	sum := 0.0
	for _, q := range p[s.hits:] {
		sum += q
	}
	return sum
}

// Nothing that is left after closing links a reply to who wrote it better than a guess would: not its number, place,
// size, receipt or the old states of its page, to somebody who knows when everybody answered, how much they sent and
// where their ballots lay (TRUST A7, A8, A9). The same attacker finds every leak that is planted.
func TestRepliesCannotBeLinked(t *testing.T) {
	rounds := 100
	if bot.Raced {
		rounds = 20
	}
	if more, err := strconv.Atoi(os.Getenv("WEERKLANK_ATTACK_ROUNDS")); err == nil {
		rounds = more
	}
	least := func(scores map[string]*links) (name string, luck float64) {
		luck = math.Inf(1)
		for _, n := range slices.Sorted(maps.Keys(scores)) {
			if l := scores[n].luck(); l < luck {
				name, luck = n, l
			}
		}
		return name, luck
	}
	scores := attackRounds(t, 1, rounds, leakNone)
	name, luck := least(scores)
	t.Logf("%d rounds, %d ways: the best is %q with %d hits, p = %.3g", rounds, len(scores), name, scores[name].hits, luck)
	if luck < 0.001/float64(len(scores)) { // one of many ways: the bound is shared among them
		t.Errorf("replies are linked by %s: %d of %d, p = %g", name, scores[name].hits, rounds, luck)
	}
	for leak, by := range map[string]string{
		leakOrder: "number by arrival, first", leakBox: "number by address, first", leakSize: "size by request, last", leakOneByOne: "states of a page by arrival, first",
	} {
		t.Run(leak, func(t *testing.T) {
			scores := attackRounds(t, 2, 12, leak)
			t.Logf("%s: %d of 12, p = %.3g", by, scores[by].hits, scores[by].luck())
			if scores[by].luck() > 1e-6 {
				t.Errorf("the attacker is blind: %d of 12, p = %g", scores[by].hits, scores[by].luck())
			}
		})
	}
}

// lived is a closed and given back round: what the file, the channel and the log say of it.
type lived struct {
	live, backup, compacted *image
	channel, log            string
	follow                  bot.RoundID // whose name is random, and so is where its records stand among the others
}

// told is all that a file says.
func (l lived) told(m *image) string {
	lines := strings.Split(m.told(), "\n")
	if l.follow != "" {
		for i := range lines {
			lines[i] = strings.ReplaceAll(lines[i], string(l.follow), "FOLLOW")
		}
		slices.Sort(lines)
	}
	return strings.Join(lines, "\n")
}

// live runs a round in which people reply as told: who, when after the opening, what; then its follow-up, if it gets one.
// A person who comes twice changed their mind; a reply without words is withdrawn.
func live(t *testing.T, acts, further []sent) (l lived) {
	t.Helper()
	cryptotest.SetGlobalRandom(t, 3)
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
		var logs bytes.Buffer
		var mu sync.Mutex
		w := newWorld(t, func(o *bot.Options) {
			o.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &logs}, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		defer w.close()
		w.switchOn(crew, nil)
		w.step(w.team().NextOpens)
		r := w.openRound(crew)
		reply := func(r bot.Round, acts []sent) {
			for _, a := range acts {
				chattest.Until(r.Opens.Add(a.after))
				f := w.fake.From(a.person, crew)
				e := bot.FormSubmitted{From: f, Form: "reply", State: string(r.ID), Values: map[string][]string{"text": {a.text}, "share": {"share"}, "stance": {"counter"}}}
				if a.text == "" {
					e.Action = "withdraw"
				}
				if resp, err := w.fake.Send(context.Background(), e); err != nil || resp.Form != nil {
					t.Fatalf("%v %v", err, resp.Errors)
				}
			}
			for _, at := range []time.Time{r.Closes, r.GivesBack} {
				chattest.Until(at)
				w.step(at)
			}
		}
		reply(r, acts)
		if all := w.team().Follows; len(all) > 0 {
			w.editTeam(func(t *bot.Team) { t.SkipNext = true }) // the next question is another story
			l.follow = all[0]
			reply(w.round(l.follow), further)
		}
		l.channel = quoted.ReplaceAllString(w.channel(crew), "> …") // which quotes stand where is random
		l.log = logs.String()
		read := func(raw []byte) *image {
			m, err := readImage(raw)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		l.live, l.backup = read(w.file()), read(w.backedUp())
		if err := w.db.Compact(context.Background()); err != nil {
			t.Fatal(err)
		}
		l.compacted = read(w.file())
	})
	return l
}

var quoted = regexp.MustCompile(`(?m)^> .*$`)

// sent is one act of a person: how long after the opening, and the words.
type sent struct {
	person string
	after  time.Duration
	text   string
}

// Once a round is closed, the file says the same whoever took part, whenever they answered, and whether they thought
// again: every record, every counter, every queued post, every line of the log (TRUST A1, A3, A20, A22).
func TestWhoTookPartLeavesNoTrace(t *testing.T) {
	words := func(i int) string { return fmt.Sprintf("De woorden die altijd komen, nummer %d", i) }
	var one, other []sent
	for i := range 6 {
		one = append(one, sent{fmt.Sprintf("p%d", i+1), time.Duration(i+1) * time.Hour, words(i)})
	}
	other = append(other, sent{"p1", 10 * time.Minute, "iets dat p1 weer intrekt"}, sent{"p1", 12 * time.Minute, ""})
	for i := range 6 {
		p := fmt.Sprintf("p%d", 8-i)
		other = append(other, sent{p, 20*time.Hour + time.Duration(13*i)*time.Minute, "een eerste gedachte van " + p}, sent{p, 40*time.Hour + time.Duration(7*i)*time.Minute, words(5 - i)})
	}
	soon := func(acts []sent) (out []sent) { // a follow-up stands open for less than a day
		for _, a := range acts {
			out = append(out, sent{a.person, a.after / 4, "verder: " + a.text})
			if a.text == "" {
				out[len(out)-1].text = ""
			}
		}
		return out
	}
	a, b := live(t, one, soon(one)), live(t, other, soon(other))
	for what, pair := range map[string][2]string{
		"the file": {a.told(a.live), b.told(b.live)}, "a backup": {a.told(a.backup), b.told(b.backup)},
		"the channel": {a.channel, b.channel}, "the log": {a.log, b.log},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s tells the two apart:\n%s", what, firstDifference(pair[0], pair[1]))
		}
	}
	if all := a.told(a.live); strings.Count(all, "bytes") != 24 || strings.Count(all, `"respondents":6`) != 1 || strings.Count(a.channel, "> …") != 6+3+6 {
		t.Errorf("the test looks in the wrong place:\n%s\n%s", all, a.channel)
	}
	if a.backup.meta != b.backup.meta || a.compacted.meta != b.compacted.meta || len(a.backup.raw) != len(b.backup.raw) {
		t.Errorf("a backup or the compacted file tells them apart: %+v %+v, %+v %+v", a.backup.meta, b.backup.meta, a.compacted.meta, b.compacted.meta)
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return x[i] + "\nbeside\n" + y[i]
		}
	}
	return fmt.Sprintf("%d lines beside %d", len(x), len(y))
}

// When too few answered, nothing says how many: not the records, a backup, the channel or the log. The live file alone is
// larger and has had more writes the busier it was, over all teams together, until it is compacted (TRUST A10, A14).
func TestTooFewIsNoNumber(t *testing.T) {
	some := func(n int) (acts []sent) {
		for i := range n {
			acts = append(acts, sent{fmt.Sprintf("p%d", i+2), time.Duration(i+1) * time.Hour, "GEHEIM"})
		}
		return acts
	}
	for what, run := range map[string]func(n int) lived{
		"a question":  func(n int) lived { return live(t, some(n), nil) },
		"a follow-up": func(n int) lived { return live(t, some(6), some(n)) },
	} {
		t.Run(what, func(t *testing.T) { tooFew(t, run) })
	}
}

func tooFew(t *testing.T, run func(n int) lived) {
	var first lived
	for n := range 5 {
		l := run(n)
		if n == 0 {
			first = l
			continue
		}
		for what, pair := range map[string][2]string{
			"the file": {first.told(first.live), l.told(l.live)}, "a backup": {first.told(first.backup), l.told(l.backup)},
			"the channel": {first.channel, l.channel}, "the log": {first.log, l.log},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%d replies: %s tells:\n%s", n, what, firstDifference(pair[0], pair[1]))
			}
		}
		if l.backup.meta != first.backup.meta || l.compacted.meta != first.compacted.meta || len(l.backup.raw) != len(first.backup.raw) || len(l.compacted.freePages()) != len(first.compacted.freePages()) {
			t.Errorf("%d replies: a backup or the compacted file tells how many: %+v, %+v", n, l.backup.meta, l.compacted.meta)
		}
		if l.live.meta.tx-first.live.meta.tx != uint64(n) { // said in docs/found.md; if it is no longer so, say that
			t.Errorf("%d replies made a difference of %d writes", n, l.live.meta.tx-first.live.meta.tx)
		}
	}
}

// copied is what one set of copies gives away of one round.
type copied struct{ name, people, links, words string }

// copies is what an attacker can make of copies of the file and of the key slots, taken at different moments: who took
// part, who wrote what, and what was written (TRUST A4, A5, A33, A36). They know ten thousand accounts, the members among
// them, and when each of these last sent something.
func copies(t *testing.T) (rows []copied) {
	w := newWorld(t, nil)
	defer w.close()
	other := bot.TeamID("fake:other")
	w.fake.Crew(crew, 9)
	w.fake.Crew(other, 9)
	v := newWitness(w)
	v.bot(w)
	w.switchOn(crew, nil)
	w.switchOn(other, nil)
	w.step(w.team().NextOpens)
	r, o := w.openRound(crew), w.openRound(other)
	users := []account{}
	for i := range 10_000 {
		users = append(users, account{"fake", "w", "u" + strconv.Itoa(i), r.Opens.UnixMicro()})
	}
	shared := 0
	for i := range 8 { // seven ballots, of which one is only counted, and a draft
		person, words := fmt.Sprintf("p%d", i+2), fmt.Sprintf("Woorden van nummer %d", i+2)
		at := r.Opens.Add(time.Duration(i+1) * 977 * time.Second)
		for _, round := range []bot.Round{r, o} {
			f := w.fake.From(person, round.Team)
			f.At = at
			share := "share"
			if i == 6 {
				share = "count"
			} else if round.ID == r.ID && i < 6 {
				shared++
			}
			var e bot.Event = bot.FormSubmitted{From: f, Form: "reply", State: string(round.ID), Values: map[string][]string{"text": {words + " " + string(round.Team)}, "share": {share}}}
			if i == 7 {
				e = bot.DirectReply{From: f, Text: bot.ReplyText(words), Message: "m" + person, Round: round.ID}
			}
			if resp, err := w.fake.Send(context.Background(), e); err != nil || resp.Form != nil {
				t.Fatalf("%v %v", err, resp.Errors)
			}
		}
		users = append(users, account{"fake", "w", person, at.UnixMicro()})
	}
	slot := func(r bot.Round, kind string) []byte { return v.slots[string(r.ID)+"."+kind] }
	left := func() (all [][]byte) {
		names, err := w.keys.Slots(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			all = append(all, v.slots[n])
		}
		return all
	}
	open, openBackup := w.file(), w.backedUp()
	mine, theirs := [][]byte{slot(r, "ballot")}, [][]byte{slot(o, "ballot")}
	addresses := map[string]bool{}
	for _, u := range users {
		addresses[string(addressUnder(mine[0][:32], u.platform, u.workspace, u.user))] = true
	}
	w.step(r.Closes)
	closed, closedBackup, afterClosing := w.file(), w.backedUp(), left()
	shelf := [][]byte{slot(r, "shelf")}
	w.step(r.GivesBack)
	w.step(r.Closes.AddDate(0, 0, 91))
	forgotten, afterAll := w.file(), left()
	try := func(name string, files, slots [][]byte, people, links, words int) {
		t.Helper()
		got := loot{files, slots, users}.attack()
		for at := range got.ballots {
			if !addresses[at] { // of the other team's round
				delete(got.ballots, at)
			}
		}
		for id, text := range got.replies {
			if !strings.HasSuffix(text, string(crew)) {
				delete(got.replies, id)
			}
		}
		if len(got.people) != people || len(got.links) != links || len(got.ballots) != links || len(got.replies) != words {
			t.Errorf("%s: %d people, %d with their words, %d ballots, %d replies; want %d, %d, %d", name, len(got.people), len(got.links), len(got.ballots), len(got.replies), people, links, words)
		}
		say := func(n int) string {
			if n > 0 {
				return "yes"
			}
			return "no"
		}
		rows = append(rows, copied{name, say(len(got.people)), say(len(got.links)), say(max(len(got.links), len(got.replies)))})
	}
	try("open file", [][]byte{open}, nil, 0, 0, 0)
	try("open backup", [][]byte{openBackup}, nil, 0, 0, 0)
	try("open backup, keys left", [][]byte{open, openBackup}, afterClosing, 0, 0, 0)
	try("open backup, open key", [][]byte{openBackup}, mine, 8, 8, 0)
	if got := (loot{[][]byte{openBackup}, theirs, users}).attack(); len(got.people) != 8 { // of their own round
		t.Errorf("another round's key shows %d people of its own round", len(got.people))
	} else if n := countIn(got.ballots, addresses); n != 0 {
		t.Errorf("another round's key opens %d ballots", n)
	}
	rows = append(rows, copied{"open backup, other key", "no", "no", "no"})
	try("closed file", [][]byte{closed, closedBackup}, nil, 0, 0, 0)
	try("closed file, open key", [][]byte{closed, closedBackup}, mine, 0, 0, 0)
	try("closed file, keys left", [][]byte{closed, closedBackup}, afterClosing, 0, 0, shared)
	try("all files, keys left", [][]byte{open, openBackup, closed, closedBackup}, afterClosing, 0, 0, shared)
	try("closed backup, shelf key, later", [][]byte{closedBackup, forgotten}, shelf, 0, 0, shared)
	try("all files, later", [][]byte{open, openBackup, closed, closedBackup, forgotten}, afterAll, 0, 0, 0)
	return rows
}

func countIn(all, of map[string]bool) (n int) {
	for k := range all {
		if of[k] {
			n++
		}
	}
	return n
}

// Two backups of an open round, a day apart, show how many ballots lay there on each day and how many came, went or
// changed; not whose they are. After closing no backup shows it (TRUST 1.1).
func TestTwoBackupsShowCountsOnly(t *testing.T) {
	w, r := openWorld(t, 9)
	defer w.close()
	answer := func(i int, text string) {
		w.answer(fmt.Sprintf("p%d", i), r.ID, map[string][]string{"text": {text}, "share": {"share"}})
	}
	for i := 2; i <= 5; i++ {
		answer(i, "eerste")
	}
	first := w.backedUp()
	answer(6, "erbij")
	answer(7, "erbij")
	answer(3, "veranderd")
	resp, err := w.fake.Press(context.Background(), "p2", crew, bot.Action{Do: "withdraw", Round: r.ID})
	if err != nil || !strings.Contains(plain(resp), "Ingetrokken") {
		t.Fatalf("%v %q", err, plain(resp))
	}
	second := w.backedUp()
	box := func(raw []byte, lid string) map[string]string {
		m, err := readImage(raw)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, rec := range m.bucket("open", string(r.ID), lid) {
			if len(rec.key) != 32 || len(rec.value) != sealedSize {
				t.Errorf("%s: %d bytes at %d", lid, len(rec.value), len(rec.key))
			}
			all[string(rec.key)] = string(rec.value)
		}
		return all
	}
	was, is := box(first, "ballots"), box(second, "ballots")
	came, went, changed := 0, 0, 0
	for at, sealed := range is {
		switch old, ok := was[at]; {
		case !ok:
			came++
		case old != sealed:
			changed++
		}
	}
	for at := range was {
		if _, ok := is[at]; !ok {
			went++
		}
	}
	if len(was) != 4 || len(is) != 5 || came != 2 || went != 1 || changed != 1 || len(box(second, "aside")) != 1 {
		t.Errorf("%d then %d ballots; %d came, %d went, %d changed: docs/found.md says otherwise", len(was), len(is), came, went, changed)
	}
	users := []account{}
	for i := range 10_000 {
		users = append(users, account{"fake", "w", "p" + strconv.Itoa(i), time.Now().UnixMicro()})
	}
	if got := (loot{[][]byte{first, second}, nil, users}).attack(); len(got.people)+len(got.ballots) != 0 {
		t.Errorf("two backups name %d people and open %d ballots", len(got.people), len(got.ballots))
	}
	w.finish(r)
	if n := ballotsIn(w.backedUp(), r.ID) + ballotsIn(w.file(), r.ID); n != 0 {
		t.Errorf("after closing %d ballots are left", n)
	}
}

// Two backups around the moment that somebody took their reply away show which reply went, which the channel shows too.
// They say neither who took it away nor when, and all keys that are left name nobody (TRUST A18, 2.6).
func TestRemovalShowsOnlyTheReply(t *testing.T) {
	w, r := openWorld(t, 9)
	defer w.close()
	codes := w.six(r)
	w.finish(r)
	v := map[string][]byte{}
	first := w.backedUp()
	at := r.GivesBack.Add(5*time.Hour + 4321*time.Second)
	f := w.fake.From("p4", "")
	f.At = at
	if resp, err := w.fake.Send(context.Background(), bot.DirectReply{From: f, Text: bot.ReplyText("verwijder " + codes["p4"]), Message: "m"}); err != nil || !strings.Contains(plain(resp), "Weggehaald") {
		t.Fatalf("%v %q", err, plain(resp))
	}
	w.step(at.Add(3 * time.Second))
	second := w.backedUp()
	names, err := w.keys.Slots(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if v[n], err = w.keys.Open(context.Background(), n); err != nil {
			t.Fatal(err)
		}
	}
	users := []account{}
	for i := range 10_000 {
		users = append(users, account{"fake", "w", "p" + strconv.Itoa(i), at.UnixMicro()})
	}
	got := loot{[][]byte{first, second, w.file()}, slices.Collect(maps.Values(v)), users}.attack()
	if len(got.people)+len(got.links) != 0 || len(got.replies) != 6 {
		t.Errorf("%d people, %d links, %d replies", len(got.people), len(got.links), len(got.replies))
	}
	was, is := recordsOf(t, first), recordsOf(t, second)
	gone := 0
	for key := range was {
		if is[key] == "" {
			gone++
		}
	}
	if gone != 2 { // the reply and its receipt
		t.Errorf("%d records went", gone)
	}
	for key, value := range is {
		for _, moment := range []time.Time{at, at.Add(3 * time.Second)} {
			if was[key] != value && strings.Contains(value, moment.UTC().Format("2006-01-02T15:04")) {
				t.Errorf("%q says when: %s", key, value)
			}
		}
	}
}

// recordsOf is every record of a file, by its path.
func recordsOf(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	m, err := readImage(raw)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	var walk func(path string, recs []record)
	walk = func(path string, recs []record) {
		for _, r := range recs {
			if r.bucket {
				walk(path+"/"+string(r.key), m.within(r))
			} else {
				all[path+"/"+string(r.key)] = string(r.value) + " "
			}
		}
	}
	walk("", m.walk(m.meta.root))
	return all
}
