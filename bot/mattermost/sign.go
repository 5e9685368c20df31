package mattermost

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// What the server hands back carries no signature of its own: anybody who is signed in can make it call us with any
// content. So everything we get back, we signed. A button's context and a dialog's state are tokens: JSON, a dot, and an
// HMAC-SHA256 under a key for that purpose alone.

const (
	signVersion = 1
	minSecret   = 32                   // bytes
	maxToken    = 16 << 10             // bytes; ours are far below
	pressLife   = 366 * 24 * time.Hour // of a button: it opens a dialog for who presses it, and no more
	dialogLife  = 30 * time.Minute
	probeLife   = time.Minute
)

// errForged says that something did not come from us, is too old, or was made for somebody else. It says no more on
// purpose.
var errForged = errors.New("mattermost: not signed by this program")

// signer makes and reads tokens.
type signer struct{ press, dialog, probe, answer []byte }

func newSigner(secret []byte) (*signer, error) {
	if len(secret) < minSecret {
		return nil, errors.New("mattermost: the secret that signs callbacks needs at least 32 random bytes")
	}
	key := func(purpose string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte("weerklank mattermost " + purpose))
		return mac.Sum(nil)
	}
	return &signer{press: key("press"), dialog: key("dialog"), probe: key("probe"), answer: key("answer")}, nil
}

// offer is an action of the bot as a button or a choice in a dialog carries it.
type offer struct {
	Do    string      `json:"d"`
	Round bot.RoundID `json:"r,omitempty"`
	Arg   string      `json:"a,omitempty"`
	Label string      `json:"l,omitempty"`
	Typed string      `json:"w,omitempty"`
}

func offerOf(a bot.Action) offer {
	return offer{Do: a.Do, Round: a.Round, Arg: a.Arg, Label: a.Label, Typed: a.Typed}
}

func (o offer) action() bot.Action {
	return bot.Action{Do: o.Do, Round: o.Round, Arg: o.Arg, Label: o.Label, Typed: o.Typed}
}

// pressContext is what comes back when a button is pressed.
type pressContext struct {
	Version int        `json:"v"`
	Team    bot.TeamID `json:"t"`
	Offer   offer      `json:"o"`
	Key     string     `json:"k,omitempty"` // of the post it stands on
	Until   int64      `json:"u"`           // seconds
}

// The kinds of dialog.
const (
	stepForm    = "form"    // a bot.Form
	stepConfirm = "confirm" // asks whether a button was meant
	stepMessage = "message" // shows something; what it offers is pressed by sending it in
)

// dialogState is what comes back with a dialog. For whom it was opened is not in it: it is part of what is signed.
type dialogState struct {
	Version int          `json:"v"`
	Step    string       `json:"s"`
	Channel string       `json:"c,omitempty"` // where it was opened; empty in a direct conversation
	Lang    prompts.Lang `json:"l"`
	Form    string       `json:"f,omitempty"`
	State   string       `json:"i,omitempty"`
	Fields  []fieldSpec  `json:"e,omitempty"`
	Offers  []offer      `json:"o,omitempty"` // in their order: the choice is its number
	Post    string       `json:"p,omitempty"` // id of the post that was pressed
	Key     string       `json:"k,omitempty"` // and its key
	Nonce   string       `json:"n"`
	Until   int64        `json:"u"`
}

// probe is what the doctor's round trip carries.
type probe struct {
	Version int    `json:"v"`
	Nonce   string `json:"n"`
	Until   int64  `json:"u"`
}

func (s *signer) signPress(c pressContext) string { return sign(s.press, "", c) }

func (s *signer) readPress(token string, now time.Time) (c pressContext, err error) {
	err = open(s.press, "", token, &c)
	if err == nil && (c.Version != signVersion || c.Until <= now.Unix() || c.Offer.Do == "") {
		err = errForged
	}
	return c, err
}

func (s *signer) signDialog(user string, d dialogState) string { return sign(s.dialog, user, d) }

func (s *signer) readDialog(user, token string, now time.Time) (d dialogState, err error) {
	err = open(s.dialog, user, token, &d)
	left := time.Duration(d.Until-now.Unix()) * time.Second
	if err == nil && (d.Version != signVersion || d.Nonce == "" || left <= 0 || left > dialogLife) {
		err = errForged
	}
	return d, err
}

func (s *signer) signProbe(p probe) string { return sign(s.probe, "", p) }

func (s *signer) readProbe(token string, now time.Time) (p probe, err error) {
	err = open(s.probe, "", token, &p)
	if err == nil && (p.Version != signVersion || p.Nonce == "" || p.Until <= now.Unix()) {
		err = errForged
	}
	return p, err
}

// answered is how a listener of ours answers a probe.
func (s *signer) answered(nonce string) string {
	return base64.RawURLEncoding.EncodeToString(seal(s.answer, "", nonce))
}

// sign makes a token for user; empty: for anybody.
func sign(key []byte, user string, content any) string {
	raw, err := json.Marshal(content) // of plain fields: never fails
	if err != nil {
		return ""
	}
	body := base64.RawURLEncoding.EncodeToString(raw)
	return body + "." + base64.RawURLEncoding.EncodeToString(seal(key, user, body))
}

// open reads a token of this key and user. Nothing of it is decoded before the signature is right, and the signature is
// over the token's own characters, so that there is one way to write it only: a decoder of base64 passes over line ends.
func open(key []byte, user, token string, content any) error {
	if len(token) > maxToken {
		return errForged
	}
	body, mac, ok := strings.Cut(token, ".")
	want := base64.RawURLEncoding.EncodeToString(seal(key, user, body))
	if !ok || !hmac.Equal([]byte(mac), []byte(want)) {
		return errForged
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(raw, content) != nil {
		return errForged
	}
	return nil
}

func seal(key []byte, user, content string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(user)))) // so that no user and content share an input
	mac.Write([]byte(user))
	mac.Write([]byte(content))
	return mac.Sum(nil)
}
