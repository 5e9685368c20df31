package bot_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/weerklank/weerklank/bot"
)

// What an attacker holds is read here as an attacker reads it: the file by its published format, the sealed values by the
// description of the box. Nothing of the product's own code helps, so that a mistake in it cannot hide itself.

// ---- the file

// image is a store file or a backup, as bytes.
type image struct {
	raw  []byte
	page int
	meta imageMeta // the newer of the two
}

// imageMeta is where a file's current state begins.
type imageMeta struct{ root, freelist, high, tx uint64 }

// record is one key of a bucket, with the place in the file where it stands.
type record struct {
	key, value []byte
	bucket     bool
	at         int // offset of the key
}

const (
	flagBranch = 0x01
	flagLeaf   = 0x02
	flagFree   = 0x10
	flagBucket = 0x01
)

var errNoStore = errors.New("this is no store")

func readImage(raw []byte) (*image, error) {
	m := &image{raw: raw, page: 4096}
	found := false
	for i := range 2 {
		at := i*m.page + 16
		if len(raw) < at+64 || binary.LittleEndian.Uint32(raw[at:]) != 0xED0CDAED {
			continue
		}
		u := func(off int) uint64 { return binary.LittleEndian.Uint64(raw[at+off:]) }
		meta := imageMeta{root: u(16), freelist: u(32), high: u(40), tx: u(48)}
		if !found || meta.tx > m.meta.tx {
			m.meta, found = meta, true
		}
	}
	if !found {
		return nil, errNoStore
	}
	return m, nil
}

// head is a page's header: what it is, how many records it has, how many pages it covers besides itself.
func head(p []byte) (flags, count, overflow int) {
	return int(binary.LittleEndian.Uint16(p[8:])), int(binary.LittleEndian.Uint16(p[10:])), int(binary.LittleEndian.Uint32(p[12:]))
}

// records reads a leaf at an offset of the file; what is not in range is left out, since stale pages hold anything.
func (m *image) records(p []byte, at int) (out []record) {
	_, count, _ := head(p)
	for i := range count {
		e := 16 + i*16
		if e+16 > len(p) {
			return out
		}
		flags, pos := binary.LittleEndian.Uint32(p[e:]), int(binary.LittleEndian.Uint32(p[e+4:]))
		k, v := int(binary.LittleEndian.Uint32(p[e+8:])), int(binary.LittleEndian.Uint32(p[e+12:]))
		if k < 0 || v < 0 || e+pos+k+v > len(p) || k > 1<<16 {
			continue
		}
		out = append(out, record{key: p[e+pos : e+pos+k], value: p[e+pos+k : e+pos+k+v], bucket: flags&flagBucket != 0, at: at + e + pos})
	}
	return out
}

// walk reads every record below a page, in the order of keys.
func (m *image) walk(id uint64) (out []record) {
	at := int(id) * m.page
	if at+m.page > len(m.raw) {
		return nil
	}
	flags, count, overflow := head(m.raw[at:])
	p := m.raw[at:min(len(m.raw), at+(1+overflow)*m.page)]
	if flags&flagLeaf != 0 {
		return m.records(p, at)
	}
	if flags&flagBranch != 0 {
		for i := range count {
			out = append(out, m.walk(binary.LittleEndian.Uint64(p[16+i*16+8:]))...)
		}
	}
	return out
}

// within reads the records of a bucket.
func (m *image) within(b record) []record {
	if root := binary.LittleEndian.Uint64(b.value); root != 0 {
		return m.walk(root)
	}
	return m.records(b.value[16:], b.at+len(b.key)+16) // small: it stands in its parent's record
}

// bucket finds a bucket by its path; nil if it is not there.
func (m *image) bucket(path ...string) []record {
	all := m.walk(m.meta.root)
	for _, name := range path {
		i := slices.IndexFunc(all, func(r record) bool { return r.bucket && string(r.key) == name })
		if i < 0 {
			return nil
		}
		all = m.within(all[i])
	}
	return all
}

// told writes down everything that the file says, but for the bytes that are sealed or random.
func (m *image) told() string {
	var out strings.Builder
	var walk func(path string, recs []record)
	walk = func(path string, recs []record) {
		hidden := path == "/receipts" || strings.HasPrefix(path, "/shelf/") || strings.HasPrefix(path, "/open/")
		for _, r := range recs {
			name := string(r.key)
			if hidden {
				name = "…"
			}
			switch {
			case r.bucket:
				fmt.Fprintf(&out, "%s/%q sequence %d\n", path, name, binary.LittleEndian.Uint64(r.value[8:]))
				walk(path+"/"+string(r.key), m.within(r))
			case hidden:
				fmt.Fprintf(&out, "%s/… %d bytes\n", path, len(r.value))
			default:
				fmt.Fprintf(&out, "%s/%q %s\n", path, name, randomKey.ReplaceAll(r.value, []byte(`"key":"…"`)))
			}
		}
	}
	walk("", m.walk(m.meta.root))
	return out.String()
}

// randomKey is what tells a post apart to a platform: made anew for every post.
var randomKey = regexp.MustCompile(`"key":"[A-Z2-7]{26}"`)

// stale reads the records of every leaf that ever stood in the file and was not overwritten, the current ones too.
func (m *image) stale() (out []record) {
	for at := 0; at+m.page <= len(m.raw); at += m.page {
		if flags, count, overflow := head(m.raw[at:]); flags == flagLeaf && count > 0 && count < m.page && overflow < 1<<16 {
			all := m.records(m.raw[at:min(len(m.raw), at+(1+overflow)*m.page)], at)
			for i := 0; i < len(all); i++ { // small buckets stand inside a record
				if r := all[i]; r.bucket && len(r.value) > 32 && binary.LittleEndian.Uint64(r.value) == 0 {
					all = append(all, m.within(r)...)
				}
			}
			out = append(out, all...)
		}
	}
	return out
}

// freePages are the pages that the file says are free.
func (m *image) freePages() (ids []uint64) {
	at := int(m.meta.freelist) * m.page
	if m.meta.freelist == 0 || at+m.page > len(m.raw) {
		return nil
	}
	flags, count, _ := head(m.raw[at:])
	if flags != flagFree {
		return nil
	}
	from := at + 16
	if count == 0xFFFF {
		count, from = int(binary.LittleEndian.Uint64(m.raw[from:])), from+8
	}
	for i := range count {
		ids = append(ids, binary.LittleEndian.Uint64(m.raw[from+i*8:]))
	}
	return ids
}

// ---- searching bytes

// finder looks for many byte strings at once, each in the forms in which it could have been written down.
type finder struct {
	first [1 << 16]bool
	by    map[[4]byte][]needle
	seen  map[string]bool
}

type needle struct {
	kind string
	raw  []byte
}

func newFinder() *finder { return &finder{by: map[[4]byte][]needle{}, seen: map[string]bool{}} }

// raw adds one byte string as it is.
func (f *finder) raw(kind string, b []byte) {
	if len(b) < 6 || f.seen[kind+"\x00"+string(b)] {
		return
	}
	f.seen[kind+"\x00"+string(b)] = true
	f.first[int(b[0])<<8|int(b[1])] = true
	key := [4]byte(b)
	f.by[key] = append(f.by[key], needle{kind, bytes.Clone(b)})
}

// bytes adds bytes as they are, in hexadecimal, and in the alphabets of base 64 and 32.
func (f *finder) bytes(kind string, b []byte) {
	f.raw(kind, b)
	f.raw(kind, []byte(hex.EncodeToString(b)))
	f.raw(kind, []byte(strings.ToUpper(hex.EncodeToString(b))))
	f.raw(kind, []byte(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:len(b)/5*5])))
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for pad := range 3 { // it may begin anywhere in a group of three
			text := enc.EncodeToString(append(make([]byte, pad), b...))
			f.raw(kind, []byte(text[(pad*8+5)/6:len(text)-1]))
		}
	}
}

// text adds words: as bytes, as UTF-16, escaped for JSON and for an address.
func (f *finder) text(kind, s string) {
	f.bytes(kind, []byte(s))
	var little, big []byte
	for _, u := range utf16.Encode([]rune(s)) {
		little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
	}
	f.raw(kind, little)
	f.raw(kind, big)
	escaped, _ := json.Marshal(s)
	f.raw(kind, escaped[1:len(escaped)-1])
	f.raw(kind, []byte(url.QueryEscape(s)))
	f.raw(kind, []byte(strings.ToLower(s)))
	f.raw(kind, []byte(strings.ToUpper(s)))
}

// search says how often each kind is found.
func (f *finder) search(places ...[]byte) map[string]int {
	found := map[string]int{}
	for _, b := range places {
		for i := 0; i+6 <= len(b); i++ {
			if !f.first[int(b[i])<<8|int(b[i+1])] {
				continue
			}
			for _, n := range f.by[[4]byte(b[i:])] {
				if bytes.HasPrefix(b[i:], n.raw) {
					found[n.kind]++
				}
			}
		}
	}
	return found
}

// ---- the box, as its description says

// addressUnder is where an account's ballot lies under a key.
func addressUnder(key []byte, fields ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, field := range fields {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(field))))
		mac.Write([]byte(field))
	}
	return mac.Sum(nil)
}

// keysIn are the keys that a slot may hold.
func keysIn(slot []byte) (keys [][]byte) {
	for at := 0; at+32 <= len(slot); at += 32 {
		keys = append(keys, slot[at:at+32])
	}
	return keys
}

func unseal(key, sealed, bound []byte) ([]byte, bool) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, false
	}
	plain, err := aead.Open(nil, nil, sealed, bound)
	return plain, err == nil
}

func boundTo(round, lid string, key []byte) []byte {
	return append([]byte("weerklank 1|"+round+"|"+lid+"|"), key...)
}

// sealReplyAs seals words for the shelf, padded to grain.
func sealReplyAs(key []byte, round, id, text string, grain int) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	plain, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		panic(err)
	}
	for len(plain)%grain != 0 {
		plain = append(plain, ' ')
	}
	return aead.Seal(nil, nil, plain, boundTo(round, "shelf", []byte(id)))
}

// ---- the attacker

// loot is what an attacker holds.
type loot struct {
	files [][]byte
	slots [][]byte
	users []account
}

// account is somebody who may have taken part, and what the platform knows: when they last sent something, in
// microseconds, as its log tells.
type account struct {
	platform, workspace, user string
	sent                      int64
}

func (a account) key() string { return a.platform + ":" + a.workspace + "/" + a.user }

// learned is what came out.
type learned struct {
	people  map[string]bool     // who took part
	ballots map[string]bool     // opened, by address
	replies map[string]string   // opened from the shelf: ID to words
	links   map[string][]string // account to words
}

// attack tries everything that the description of the box allows with what is in hand: the addresses of all accounts
// under every key, every key on every sealed value, current and stale, and the receipt codes of all accounts.
func (l loot) attack() learned {
	out := learned{map[string]bool{}, map[string]bool{}, map[string]string{}, map[string][]string{}}
	keys := [][]byte{make([]byte, 32), nil} // and no key at all
	for _, s := range l.slots {
		keys = append(keys, keysIn(s)...)
	}
	who, codes := map[string]account{}, map[string]account{}
	for _, u := range l.users {
		who[string(sum(u.user))], who[string(sum(u.key()))] = u, u
		for _, key := range keys {
			at := addressUnder(key, u.platform, u.workspace, u.user)
			who[string(at)] = u
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte("receipt"))
			mac.Write(at)
			mac.Write(binary.BigEndian.AppendUint64(nil, uint64(u.sent)))
			codes[string(sum(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:10])))] = u
		}
	}
	var images []*image
	rounds := map[string]bool{}
	for _, raw := range l.files {
		m, err := readImage(raw)
		if err != nil {
			continue
		}
		images = append(images, m)
		for _, r := range m.bucket("rounds") {
			rounds[string(r.key)] = true
		}
	}
	for _, m := range images {
		for _, r := range m.stale() {
			u, known := who[string(r.key)]
			if known {
				out.people[u.key()] = true
			}
			if len(r.key) == 32 && len(r.value) > 5000 {
				for round := range rounds {
					for _, lid := range []string{"ballot", "aside"} {
						for _, key := range keys {
							plain, ok := unseal(key, r.value, boundTo(round, lid, r.key))
							if !ok {
								continue
							}
							out.ballots[string(r.key)] = true
							if words := strings.TrimRight(string(plain[1024:]), "\x00"); known && words != "" {
								out.links[u.key()] = append(out.links[u.key()], words)
							}
						}
					}
				}
			}
			if len(r.value) < 32+28 || len(r.key) == 32 {
				continue
			}
			words := ""
			for round := range rounds {
				for _, key := range keys {
					if plain, ok := unseal(key, r.value[32:], boundTo(round, "shelf", r.key)); ok {
						words = shelfWords(plain)
						out.replies[string(r.key)] = words
					}
				}
			}
			if u, known := codes[string(r.value[:32])]; known {
				out.people[u.key()] = true
				out.links[u.key()] = append(out.links[u.key()], words)
			}
		}
	}
	return out
}

// shelfWords are the words in an opened reply.
func shelfWords(plain []byte) string {
	var s struct{ Text string }
	if json.Unmarshal(plain, &s) != nil {
		return ""
	}
	return s.Text
}

func sum(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }

// ---- recording what dies

// witness sees what the product destroys: keys through the port, sealed values through the store.
type witness struct {
	inner  bot.Store
	keys   bot.Keys
	slots  map[string][]byte
	sealed map[string][]byte // every value that ever lay in a box, by itself
	shelf  []bot.SealedReply // every reply that ever lay on the shelf
	at     func(moment string)
	mu     sync.Mutex
}

func newWitness(w *world) *witness {
	return &witness{inner: w.db, keys: w.keys, slots: map[string][]byte{}, sealed: map[string][]byte{}, at: func(string) {}}
}

// bot builds the world's bot anew with the witness between it and its store and keys.
func (v *witness) bot(w *world) {
	w.t.Helper()
	o := w.o
	o.Store, o.Keys, o.Chats = v.store(), v.keyring(), []bot.Chat{w.fake}
	b, err := bot.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.bot = b
	w.fake.Use(b.Handle)
}

// seenStore and seenKeys are the two sides of a witness.
type (
	seenStore struct {
		bot.Store
		v *witness
	}
	seenKeys struct {
		bot.Keys
		v *witness
	}
)

func (v *witness) store() bot.Store  { return seenStore{v.inner, v} }
func (v *witness) keyring() bot.Keys { return seenKeys{v.keys, v} }

func (s seenKeys) Create(ctx context.Context, slots ...bot.KeySlot) error {
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	for _, slot := range slots {
		s.v.slots[slot.Name] = bytes.Clone(slot.Key)
	}
	return s.Keys.Create(ctx, slots...)
}

func (s seenKeys) Destroy(ctx context.Context, names ...string) error {
	moment := "destroy"
	if len(names) == 1 {
		_, kind, _ := strings.Cut(names[0], ".")
		moment += " " + kind
	}
	s.v.at("before " + moment)
	err := s.Keys.Destroy(ctx, names...)
	s.v.at("after " + moment)
	return err
}

func (s seenStore) Cast(ctx context.Context, round bot.RoundID, at bot.Address, edit func(bot.Slip) (bot.Slip, error)) error {
	err := s.Store.Cast(ctx, round, at, edit)
	if slip, serr := s.Store.Slip(ctx, round, at); serr == nil {
		s.v.mu.Lock()
		defer s.v.mu.Unlock()
		for _, b := range [][]byte{slip.Ballot, slip.Aside} {
			if b != nil {
				s.v.sealed[string(b)] = b
			}
		}
	}
	return err
}

func (s seenStore) Release(ctx context.Context, round bot.RoundID, replies []bot.SealedReply, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	s.v.at("before release")
	err := s.Store.Release(ctx, round, replies, edit)
	if err == nil {
		s.v.mu.Lock()
		s.v.shelf = append(s.v.shelf, replies...)
		s.v.mu.Unlock()
	}
	s.v.at("after release")
	return err
}

func (s seenStore) Erase(ctx context.Context) error {
	s.v.at("before erase")
	err := s.Store.Erase(ctx)
	s.v.at("after erase")
	return err
}
