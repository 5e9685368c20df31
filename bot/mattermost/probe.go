package mattermost

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A probe is a dialog that nobody filled in: the doctor has the server submit it to the bot's own callback, to see
// whether the server gets there. Its state says so, is signed, and is good for a few minutes.
const (
	probePath   = "/probe" // below the callback URL
	probePrefix = "probe."
	probeLife   = 5 * time.Minute
)

// probeState makes the state of a probe.
func probeState(secret []byte, now time.Time) string {
	said := probePrefix + rand.Text() + "." + strconv.FormatInt(now.Add(probeLife).Unix(), 10)
	return said + "." + probeMark(secret, said)
}

// probed says whether a state is that of a probe which was made with the same secret a moment ago.
func probed(secret []byte, state string, now time.Time) bool {
	at := strings.LastIndexByte(state, '.')
	if at < 0 || !strings.HasPrefix(state, probePrefix) || !hmac.Equal([]byte(state[at+1:]), []byte(probeMark(secret, state[:at]))) {
		return false
	}
	until, err := strconv.ParseInt(state[strings.LastIndexByte(state[:at], '.')+1:at], 10, 64)
	return err == nil && now.Unix() <= until && until <= now.Add(probeLife).Unix()+1
}

func probeMark(secret []byte, said string) string {
	mac := hmac.New(sha256.New, secret)
	io.WriteString(mac, said)
	return hex.EncodeToString(mac.Sum(nil))
}

// ProbeState is the state of a dialog that the adapter's Handler answers with no error, below the callback URL's /probe.
func (a *Adapter) ProbeState() string { return probeState(a.c.Secret, time.Now()) }

// ProbeHandler answers the doctor's probes for as long as no bot does. It takes nothing else.
func ProbeHandler(c Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var dialog struct {
			State string `json:"state"`
		}
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&dialog)
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, probePath) || err != nil || !probed(c.Secret, dialog.State, time.Now()) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	})
}
