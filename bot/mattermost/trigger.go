package mattermost

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A trigger comes with every press and command. The server makes it for the very person, signs it with its own key, opens a
// dialog only for that person with it, and publishes the key. The command's token proves much less: whoever may register
// commands can read it, and call us with any account. So:
//
//   - a press or command whose trigger is not of the person it names is not believed;
//   - once the server's key is known, it must be signed by it, young, and new;
//   - since it does not say for which command or channel it was made, what is not for everybody goes by a dialog, which opens
//     for nobody else, and within the server's own time (bot.Reach).
const (
	triggerLife = 10 * time.Minute // the server's own limit is half a minute; clocks may differ
	askKeyEvery = time.Minute
)

// trigger is the id of one that the server made for a person, of one press or command alone.
type trigger string

// serverKey is the key with which the server signs triggers, once it is known.
type serverKey struct {
	mu    sync.Mutex
	key   *ecdsa.PublicKey
	asked time.Time
}

// triggered reads a trigger that came along for a user. errForged: it is not of that user, not of the server, or too old.
func (l *callbacks) triggered(ctx context.Context, text, user string) (trigger, error) {
	if len(text) > 1024 {
		return "", errForged
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	part := strings.Split(string(raw), ":")
	if err != nil || len(part) != 4 || part[0] == "" || part[1] != user {
		return "", errForged
	}
	ms, err := strconv.ParseInt(part[2], 10, 64)
	if age := l.a.now().Sub(time.UnixMilli(ms)); err != nil || age > triggerLife || age < -triggerLife {
		return "", errForged
	}
	signature, err := base64.StdEncoding.DecodeString(part[3])
	if err != nil {
		return "", errForged
	}
	sum := sha256.Sum256([]byte(strings.Join(part[:3], ":") + ":"))
	key, fresh := l.signs(ctx, nil)
	if key != nil && !fresh && !ecdsa.VerifyASN1(key, sum[:], signature) { // the server may have a new one
		key, _ = l.signs(ctx, key)
	}
	if key != nil && !ecdsa.VerifyASN1(key, sum[:], signature) {
		return "", errForged
	}
	return trigger(part[0]), nil
}

// signs returns the server's key, and whether it was asked for just now; nil: the server does not tell it. It is asked again
// if it is no longer that of old, at most once a minute.
func (l *callbacks) signs(ctx context.Context, old *ecdsa.PublicKey) (key *ecdsa.PublicKey, fresh bool) {
	k := &l.server
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key != nil && k.key != old || !k.asked.IsZero() && l.now().Sub(k.asked) < askKeyEvery {
		return k.key, false
	}
	k.asked = l.now()
	r, err := l.a.rest.DoAPIGet(ctx, "/config/client?format=old", "") // without the format, 9.11 does not answer
	if err != nil {
		return k.key, false
	}
	defer r.Body.Close()
	var all map[string]string
	if r.StatusCode != http.StatusOK || json.NewDecoder(r.Body).Decode(&all) != nil {
		return k.key, false
	}
	der, err := base64.StdEncoding.DecodeString(all["AsymmetricSigningPublicKey"])
	if err != nil || len(der) == 0 {
		return k.key, false
	}
	if parsed, err := x509.ParsePKIXPublicKey(der); err == nil {
		if known, ok := parsed.(*ecdsa.PublicKey); ok {
			k.key = known
		}
	}
	return k.key, true
}

// first says whether a press or command comes for the first time. What comes again is answered and does nothing.
func (l *callbacks) first(t trigger) bool {
	n := l.nonce("trigger "+string(t), l.now().Add(2*triggerLife))
	if n == nil {
		return true // too many to remember: what it does is asked in a dialog or harmless
	}
	n.turn.Lock()
	defer n.turn.Unlock()
	again := n.spent
	n.spent = true
	return !again
}
