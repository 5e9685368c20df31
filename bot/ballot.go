package bot

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// A slip's content has one size for everybody, so that length tells nothing (TRUST 2.1, A6).
const (
	headerSize = 1024
	bodySize   = 4096
	slipSize   = headerSize + bodySize
)

// The largest reply (DESIGN 11), on every platform and both ways of answering.
const (
	MaxReplyRunes = 1500 // code points after NFC
	MaxReplyBytes = 4000
	maxParts      = 8   // typed messages joined into one reply
	maxGone       = 12  // tombstones that are remembered; a late original older than these comes as a new message
	maxOther      = 200 // bytes of the words for "something else"
)

// Names of the two lids of an address; part of what a value is sealed with, so that it opens nowhere else (A37).
const (
	lidBallot = "ballot"
	lidAside  = "aside"
)

// ballotKeys are the two keys in a round's ballot slot.
type ballotKeys struct {
	address [32]byte
	seal    cipher.AEAD
	raw     [32]byte
}

func ballotSlot(id RoundID) string { return string(id) + ".ballot" }
func shelfSlot(id RoundID) string  { return string(id) + ".shelf" }

// slotOfRemoved says which round a slot of a removed reply belongs to, by the slot's name.
func slotOfRemoved(name string) (RoundID, bool) {
	base, kind, _ := strings.Cut(name, ".")
	id, _, ok := strings.Cut(base, "-")
	return RoundID(id), ok && kind == "removed"
}

// newRemovedSlot says outside the store that a reply was removed. Part of the receipt's hash is in its name, so that no
// reply has two.
func newRemovedSlot(id RoundID, receipt [32]byte) KeySlot {
	return KeySlot{Name: fmt.Sprintf("%s-%x.removed", id, receipt[:16]), Key: receipt[:]}
}

// newBallotSlot makes a round's ballot slot: an address key and a sealing key, both fresh.
func newBallotSlot(id RoundID) KeySlot {
	key := make([]byte, 64)
	rand.Read(key) // never fails
	return KeySlot{Name: ballotSlot(id), Key: key}
}

// newShelfSlot makes the slot that seals a round's released replies until retention ends.
func newShelfSlot(id RoundID) KeySlot {
	key := make([]byte, 32)
	rand.Read(key)
	return KeySlot{Name: shelfSlot(id), Key: key}
}

func parseBallotSlot(key []byte) (ballotKeys, error) {
	if len(key) != 64 {
		return ballotKeys{}, errors.New("ballot slot has the wrong size")
	}
	k := ballotKeys{address: [32]byte(key[:32]), raw: [32]byte(key[32:])}
	var err error
	k.seal, err = newAEAD(key[32:])
	return k, err
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// addressOf computes where a person's slip lies in this round. Fields are length-prefixed, so that no two accounts
// share an input.
func (k *ballotKeys) addressOf(u UserID) Address {
	mac := hmac.New(sha256.New, k.address[:])
	for _, field := range []string{u.platform, u.workspace, u.user} {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(field)))
		mac.Write(n[:])
		mac.Write([]byte(field))
	}
	return Address(mac.Sum(nil))
}

// salt is random and stands inside a sealed ballot only. The receipt code is made with it: from the slot alone, copied
// while the round was open, nobody can compute the codes of all accounts and lay them beside the receipts on the shelf.
type salt [10]byte

func newSalt() (s salt) {
	rand.Read(s[:]) // never fails
	return s
}

// receiptOf derives the code that belongs to a reply. A redelivered form gets the same code again, since the salt lies in
// the ballot; without the ballot the code is random to anyone, the round's slot in hand or not.
func (k *ballotKeys) receiptOf(a Address, s *slip) string {
	mac := hmac.New(sha256.New, k.address[:])
	mac.Write([]byte("receipt"))
	mac.Write(a[:])
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(s.CodeAt)))
	if s.Salt != (salt{}) { // a ballot of an earlier program has none, and its author has the code
		mac.Write(s.Salt[:])
	}
	code := base32.StdEncoding.EncodeToString(mac.Sum(nil)[:10])
	return code[:4] + "-" + code[4:8] + "-" + code[8:12] + "-" + code[12:]
}

// receiptHash is what the store keeps of a code. It forgives case, spaces and dashes.
func receiptHash(code string) [32]byte { return sha256.Sum256([]byte(plainCode(code))) }

func plainCode(code string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '2' && r <= '7' {
			return r
		}
		return -1
	}, strings.ToUpper(code))
}

// looksLikeCode says whether words are a code, or one with a slip of the finger in it: about as many signs, with the
// dashes or digits that a sentence does not have.
func looksLikeCode(words string) bool {
	n := len(plainCode(words))
	return n == 16 && len(words) <= 24 || n >= 12 && n <= 20 && len(words) <= 28 && strings.ContainsAny(words, "-234567")
}

// mark tells a platform message apart from the others of one person. It stands inside a sealed slip only.
type mark [6]byte

func markOf(message string) mark {
	sum := sha256.Sum256([]byte(message))
	return mark(sum[:6])
}

// part is one typed message of a reply. A gone part stays as a tombstone, so that a late original cannot return.
type part struct {
	message mark
	at      int64 // microseconds: version of this part
	gone    bool
	text    string
}

func (p part) tombstone() part { return part{message: p.message, at: p.at, gone: true} }

// step is what a draft waits for.
type step string

const (
	awaitRound step = "round" // which round it is for
	awaitShare step = "share" // what may be done with it
	awaitMerge step = "merge" // whether it joins or replaces the reply that is there
	awaitTags  step = "tags"  // on a ballot: what it was about; may be ignored

	awaitMirror step = "mirror" // on a ballot: whether a guess of what it was about is right; may be ignored
)

// What stands alone as a tag.
const (
	plainNone    = "none"
	plainUnknown = "unknown"
)

// slip is the open content of what lies at one address under one lid.
type slip struct {
	Version  int64               `json:"v"` // microseconds: its last change
	Wait     step                `json:"w,omitempty"`
	Floor    int64               `json:"l,omitempty"` // version of the last form or withdrawal: what is older changes nothing
	Parts    []part              `json:"-"`           // in binary behind the rest of the header
	Stance   Stance              `json:"s,omitempty"`
	StanceAt int64               `json:"t,omitempty"` // version of the tap; zero: the form's
	Tags     []prompts.TensionID `json:"g,omitempty"`
	TagsAt   int64               `json:"q,omitempty"` // version of the oldest tag; zero: the form's
	Mirror   prompts.TensionID   `json:"m,omitempty"` // that of Tags which a mirror suggested and the author confirmed
	Plain    string              `json:"k,omitempty"` // "none" or "unknown": stands alone
	Other    string              `json:"-"`           // likewise, so that no sign takes more room than another
	Share    Share               `json:"c,omitempty"`
	CodeAt   int64               `json:"r,omitempty"` // version the receipt code is derived from
	Salt     salt                `json:"-"`           // likewise, in binary behind Other
	Choice   string              `json:"h,omitempty"` // votes
	Hard     bool                `json:"d,omitempty"` // the words hold a hard personal-data mark

	Guess   prompts.TensionID `json:"y,omitempty"` // what the mirror showed the author, once
	GuessAt int64             `json:"x,omitempty"` // version of the act that it was shown after
}

// text joins the parts that are still there, one per line, in the order they were written.
func (s *slip) text() string {
	var lines []string
	for _, p := range s.Parts {
		if !p.gone {
			lines = append(lines, p.text)
		}
	}
	return strings.Join(lines, "\n")
}

// part finds the typed message with that hash, or nil.
func (s *slip) part(message mark) *part {
	if s == nil {
		return nil
	}
	for i := range s.Parts {
		if s.Parts[i].message == message {
			return &s.Parts[i]
		}
	}
	return nil
}

// has says whether a typed message is part of s and still there.
func (s *slip) has(message mark) bool {
	p := s.part(message)
	return p != nil && !p.gone
}

// live counts the parts that are still there.
func (s *slip) live() (n int) {
	for _, p := range s.Parts {
		if !p.gone {
			n++
		}
	}
	return n
}

// add joins one typed message, or refuses it and leaves s as it was.
func (s *slip) add(p part) error {
	if s.live() >= maxParts {
		return errTooMany
	}
	longer := *s
	longer.Parts = append(slices.Clone(s.Parts), p)
	slices.SortStableFunc(longer.Parts, func(a, b part) int { return cmp.Compare(a.at, b.at) })
	if err := fits(longer.text()); err != nil {
		return err
	}
	s.Parts = longer.Parts
	return nil
}

// remember keeps the marks of typed messages, without their words.
func (s *slip) remember(parts []part) {
	for _, p := range parts {
		if p.message != (mark{}) && s.part(p.message) == nil {
			s.Parts = append(s.Parts, p.tombstone())
		}
	}
}

// shared says whether the text may be quoted, and so lives on after closing.
func (s *slip) shared() bool { return s.Share == ShareQuote && s.text() != "" && !s.Hard }

// withheld says that the text is not quoted although its author would have it, because it may lead to a person.
func (s *slip) withheld() bool { return s.Share == ShareQuote && s.text() != "" && s.Hard }

// The header: length and JSON of the fields, number of parts and each part in partSize bytes, length and bytes of Other, salt.
// It always fits: the fields are few and plain, and of the tombstones only the newest stay.
const partSize = 6 + 8 + 2 + 1

func (s *slip) encode() ([]byte, error) {
	fields, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	head := append(binary.BigEndian.AppendUint16(nil, uint16(len(fields))), fields...)
	parts := remembered(s.Parts)
	head = append(head, byte(len(parts)))
	var body []byte
	for _, p := range parts {
		head = append(head, p.message[:]...)
		head = binary.BigEndian.AppendUint64(head, uint64(p.at))
		head = binary.BigEndian.AppendUint16(head, uint16(len(p.text)))
		gone := byte(0)
		if p.gone {
			gone = 1
		}
		head = append(head, gone)
		body = append(body, p.text...)
	}
	if len(s.Other) > maxOther || len(body) > bodySize {
		return nil, errTooLong
	}
	head = append(append(head, byte(len(s.Other))), s.Other...)
	head = append(head, s.Salt[:]...)
	if len(head) > headerSize {
		return nil, errors.New("slip header does not fit")
	}
	out := make([]byte, slipSize)
	copy(out, head)
	copy(out[headerSize:], body)
	return out, nil
}

// remembered drops the oldest tombstones beyond maxGone.
func remembered(parts []part) []part {
	var gone []int64
	for _, p := range parts {
		if p.gone {
			gone = append(gone, p.at)
		}
	}
	surplus := len(gone) - maxGone
	if surplus <= 0 {
		return parts
	}
	slices.Sort(gone)
	kept := make([]part, 0, len(parts))
	for _, p := range parts {
		if p.gone && surplus > 0 && p.at <= gone[len(gone)-maxGone-1] {
			surplus--
			continue
		}
		kept = append(kept, p)
	}
	return kept
}

func decodeSlip(raw []byte) (*slip, error) {
	if len(raw) != slipSize {
		return nil, errors.New("slip has the wrong size")
	}
	head, body := raw[:headerSize], raw[headerSize:]
	take := func(n int) []byte { // nil when damaged
		if n < 0 || n > len(head) {
			head = nil
			return nil
		}
		taken := head[:n]
		head = head[n:]
		return taken
	}
	damaged := errors.New("slip is damaged")
	s := new(slip)
	fields := take(int(binary.BigEndian.Uint16(take(2))))
	if err := json.Unmarshal(fields, s); err != nil {
		return nil, fmt.Errorf("slip header: %w", err)
	}
	count := take(1)
	if len(count) == 0 {
		return nil, damaged
	}
	for range count[0] {
		b := take(partSize)
		if len(b) < partSize {
			return nil, damaged
		}
		n := int(binary.BigEndian.Uint16(b[14:]))
		if n > len(body) {
			return nil, damaged
		}
		s.Parts = append(s.Parts, part{message: mark(b[:6]), at: int64(binary.BigEndian.Uint64(b[6:])), gone: b[16] != 0, text: string(body[:n])})
		body = body[n:]
	}
	size := take(1)
	if len(size) == 0 {
		return nil, damaged
	}
	other := take(int(size[0]))
	if len(other) != int(size[0]) {
		return nil, damaged
	}
	s.Other = string(other)
	copy(s.Salt[:], take(len(s.Salt)))
	return s, nil
}

func bound(round RoundID, lid string, a Address) []byte {
	return append([]byte("weerklank 1|"+string(round)+"|"+lid+"|"), a[:]...)
}

func (k *ballotKeys) sealSlip(round RoundID, lid string, a Address, s *slip) ([]byte, error) {
	plain, err := s.encode()
	if err != nil {
		return nil, err
	}
	return k.seal.Seal(nil, nil, plain, bound(round, lid, a)), nil
}

// openSlip opens a sealed value; nil for nil.
func (k *ballotKeys) openSlip(round RoundID, lid string, a Address, sealed []byte) (*slip, error) {
	if sealed == nil {
		return nil, nil
	}
	plain, err := k.seal.Open(nil, nil, sealed, bound(round, lid, a))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", lid, err)
	}
	return decodeSlip(plain)
}

// shelved is a released reply as it is sealed on the shelf.
type shelved struct {
	Text   string              `json:"text"`
	Stance Stance              `json:"stance,omitempty"`
	Tags   []prompts.TensionID `json:"tags,omitempty"`
	Other  string              `json:"other,omitempty"`
}

// shelfGrain is what a sealed reply's length is rounded up to.
const shelfGrain = 256

func sealReply(key cipher.AEAD, round RoundID, id ReplyID, s shelved) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	for len(plain)%shelfGrain != 0 {
		plain = append(plain, ' ') // JSON ignores it
	}
	return key.Seal(nil, nil, plain, []byte("weerklank 1|"+string(round)+"|shelf|"+string(id))), nil
}

func openReply(key cipher.AEAD, round RoundID, r SealedReply) (Reply, error) {
	plain, err := key.Open(nil, nil, r.Sealed, []byte("weerklank 1|"+string(round)+"|shelf|"+string(r.ID)))
	if err != nil {
		return Reply{}, fmt.Errorf("open released reply: %w", err)
	}
	var s shelved
	if err := json.Unmarshal(plain, &s); err != nil {
		return Reply{}, fmt.Errorf("released reply: %w", err)
	}
	return Reply{ID: r.ID, Text: ReplyText(s.Text), Stance: s.Stance, Tags: s.Tags, Other: s.Other}, nil
}

func version(t time.Time) int64 { return t.UnixMicro() }
