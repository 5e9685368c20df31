package bot

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/prompts"
)

// fullSlip is as large as a slip can be.
func fullSlip() *slip {
	s := &slip{
		Version: 1<<62 + 1, Wait: awaitTags, Floor: 1<<62 + 3, Stance: StanceDepends, Share: ShareQuote, Plain: "unknown",
		Other: strings.Repeat(`"`, maxOther), CodeAt: 1<<62 + 2, Salt: newSalt(), Choice: "go-on", Hard: true,
	}
	for i := range 7 {
		s.Tags = append(s.Tags, prompts.TensionID(fmt.Sprintf("%039d-%d", 0, i)[:40]))
	}
	for i := range maxParts {
		s.Parts = append(s.Parts, part{message: markOf(fmt.Sprint("live", i)), at: int64(i), text: strings.Repeat("x", MaxReplyBytes/maxParts)})
	}
	for i := range 3 * maxGone {
		s.Parts = append(s.Parts, part{message: markOf(fmt.Sprint("gone", i)), at: int64(i), gone: true})
	}
	return s
}

// All slips have one length, from nothing to the largest (TRUST A6), and come back as they were.
func TestSlipsHaveOneSize(t *testing.T) {
	for _, s := range []*slip{{}, {Version: 7, Parts: []part{{at: 7, text: "é\n"}}, Stance: StanceA, Share: ShareCount}, {Version: 9, Floor: 9, Parts: []part{part{message: markOf("m"), at: 3, text: "x"}.tombstone()}}, fullSlip()} {
		raw, err := s.encode()
		if err != nil || len(raw) != slipSize {
			t.Fatalf("%d bytes, %v", len(raw), err)
		}
		back, err := decodeSlip(raw)
		if err != nil {
			t.Fatal(err)
		}
		want := *s
		want.Parts = remembered(s.Parts)
		if !reflect.DeepEqual(*back, want) {
			t.Errorf("%+v came back as %+v", want, *back)
		}
	}
	back := remembered(fullSlip().Parts)
	if len(back) != maxParts+maxGone || back[len(back)-1].at != 3*maxGone-1 || back[maxParts].at != 2*maxGone {
		t.Errorf("%d parts are remembered: %+v", len(back), back)
	}
}

// The slot alone, copied while the round was open, gives no receipt codes of known accounts at known moments: they would
// stand beside the replies on the shelf and name their authors.
func TestReceiptsNeedTheBallot(t *testing.T) {
	keys, err := parseBallotSlot(newBallotSlot("R").Key)
	if err != nil {
		t.Fatal(err)
	}
	at := keys.addressOf(Account("slack", "T1", "U1"))
	share := func() *slip {
		h := hand{aside: &slip{Version: 7, Wait: awaitShare, Parts: []part{{message: markOf("m"), at: 7, text: "x"}}}}
		if err := h.share(ShareQuote, mark{}, 8); err != nil {
			t.Fatal(err)
		}
		return h.ballot
	}
	stand := func() *slip {
		var h hand
		if err := h.stand(StanceA, 8); err != nil {
			t.Fatal(err)
		}
		return h.ballot
	}
	for name, made := range map[string]func() *slip{"typed": share, "tapped": stand} {
		one, other := made(), made()
		if one.CodeAt != other.CodeAt || keys.receiptOf(at, one) == keys.receiptOf(at, other) {
			t.Errorf("%s: account, moment and slot give the code", name)
		}
		raw, err := one.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeSlip(raw)
		if err != nil || keys.receiptOf(at, back) != keys.receiptOf(at, one) {
			t.Errorf("%s: the code did not survive in the ballot: %v", name, err)
		}
	}
	// A ballot that an earlier program laid keeps the code it was given.
	if old := (&slip{Version: 8, CodeAt: 8}); keys.receiptOf(at, old) != keys.receiptOf(at, &slip{Version: 9, CodeAt: 8}) {
		t.Error("an old code lapsed")
	}
}

// A sealed value opens nowhere but where it was laid (TRUST A37).
func TestSealedValuesDoNotMove(t *testing.T) {
	keys, err := parseBallotSlot(newBallotSlot("R").Key)
	if err != nil {
		t.Fatal(err)
	}
	other, err := parseBallotSlot(newBallotSlot("R").Key)
	if err != nil {
		t.Fatal(err)
	}
	at := keys.addressOf(Account("slack", "T1", "U1"))
	sealed, err := keys.sealSlip("R", lidBallot, at, &slip{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.openSlip("R", lidBallot, at, sealed); err != nil {
		t.Fatal(err)
	}
	elsewhere := keys.addressOf(Account("slack", "T1U", "1"))
	if elsewhere == at || elsewhere == keys.addressOf(Account("slackT", "1", "U1")) || at == other.addressOf(Account("slack", "T1", "U1")) {
		t.Error("two accounts or two rounds share an address")
	}
	for name, open := range map[string]func() (*slip, error){
		"another address": func() (*slip, error) { return keys.openSlip("R", lidBallot, elsewhere, sealed) },
		"another lid":     func() (*slip, error) { return keys.openSlip("R", lidAside, at, sealed) },
		"another round":   func() (*slip, error) { return keys.openSlip("R2", lidBallot, at, sealed) },
		"another key":     func() (*slip, error) { return other.openSlip("R", lidBallot, at, sealed) },
		"a changed byte": func() (*slip, error) {
			return keys.openSlip("R", lidBallot, at, append(bytes.Clone(sealed[:100]), append([]byte{sealed[100] ^ 1}, sealed[101:]...)...))
		},
	} {
		if _, err := open(); err == nil {
			t.Errorf("it opens with %s", name)
		}
	}
	shelf, err := newAEAD(newShelfSlot("R").Key)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 600 {
		sealed, err := sealReply(shelf, "R", "ID", shelved{Text: strings.Repeat("x", n)})
		if err != nil || (len(sealed)-28)%shelfGrain != 0 {
			t.Fatalf("%d characters: %d bytes, %v", n, len(sealed), err)
		}
		if _, err := openReply(shelf, "R", SealedReply{ID: "other", Sealed: sealed}); err == nil {
			t.Fatal("a released reply opens under another ID")
		}
	}
}

// Released order does not depend on arrival (TRUST A7): ten thousand shuffles of six, 720 orders, chi-square with 719
// degrees of freedom (TRUST asks for p > 0.001, below 842; the bound here is wider, so that a fair shuffle never fails).
func TestShuffleIsFair(t *testing.T) {
	orders := map[string]int{}
	const runs = 10_000
	for range runs {
		s := []byte("abcdef")
		if err := shuffle(s); err != nil {
			t.Fatal(err)
		}
		orders[string(s)]++
	}
	expected := float64(runs) / 720
	chi := float64(720-len(orders)) * expected
	for _, n := range orders {
		chi += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	if chi > 900 { // a fair one passes but in one of a hundred thousand; an order that follows arrival gives millions
		t.Errorf("chi-square %.0f over 720 orders", chi)
	}
}

// Whatever bytes lie in a slip: it decodes or is refused.
func FuzzSlip(f *testing.F) {
	for _, s := range []*slip{{}, fullSlip()} {
		raw, err := s.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw[:headerSize])
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		raw := make([]byte, slipSize)
		copy(raw, head)
		s, err := decodeSlip(raw) // the body is left empty: only the header has a shape
		if err == nil && len(s.text()) > bodySize+len(s.Parts) {
			t.Errorf("%d bytes of text out of %d", len(s.text()), bodySize)
		}
	})
}
