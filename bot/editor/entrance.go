package editor

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// How long things last, and how many there are.
const (
	linkLife    = 10 * time.Minute
	idleLife    = 2 * time.Hour
	sessionLife = 12 * time.Hour
	maxLinks    = 3 // unused ones of an editor: a platform may ask for one twice
	maxSessions = 5 // of an editor
)

// entrance is who may come in, and who is in. It is held in memory only: what a start forgets, the bot makes anew in a
// minute, and a copied file lets nobody in. Secrets are held as hashes, so that not even a dump of the memory has one.
type entrance struct {
	mu       sync.Mutex
	links    map[hash]link
	sessions map[hash]*session
	wrong    bucket // codes that were not right
}

type (
	hash [sha256.Size]byte

	// link is a way in that was sent to an editor.
	link struct {
		editor bot.ActorID
		lang   prompts.Lang
		until  time.Time
	}

	// session is an editor at work in one browser.
	session struct {
		editor      bot.ActorID
		key         []byte // of its forms' tokens
		began, seen time.Time

		mu   sync.Mutex
		lang prompts.Lang
		pace bucket
		plan *planned // an import that was looked at and not yet applied
	}
)

func hashOf(secret string) hash { return sha256.Sum256([]byte(secret)) }

func newEntrance() *entrance {
	return &entrance{links: map[hash]link{}, sessions: map[hash]*session{}, wrong: bucket{size: 20, each: 3 * time.Second}}
}

// invite makes a code that lets an editor in once.
func (e *entrance) invite(editor bot.ActorID, lang prompts.Lang, now time.Time) string {
	code := rand.Text()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(now)
	mine := 0
	var oldest hash
	for h, l := range e.links {
		if l.editor != editor {
			continue
		}
		if mine++; mine == 1 || l.until.Before(e.links[oldest].until) {
			oldest = h
		}
	}
	if mine >= maxLinks {
		delete(e.links, oldest)
	}
	e.links[hashOf(code)] = link{editor: editor, lang: lang, until: now.Add(linkLife)}
	return code
}

// Why nobody came in.
var (
	errCode = errors.New("editor: the code is not known, used or too old")
	errBusy = errors.New("editor: too many codes were wrong")
)

// enter takes a code in and begins a session, whose secret it returns.
//
// A code has 130 bits: nobody guesses one in its ten minutes. The limit on wrong ones is for the load, and a right one is
// never refused by it, so that whoever floods the door keeps no editor out.
func (e *entrance) enter(code string, now time.Time) (string, *session, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(now)
	l, ok := e.links[hashOf(code)]
	if !ok {
		if !e.wrong.take(now) {
			return "", nil, errBusy
		}
		return "", nil, errCode
	}
	delete(e.links, hashOf(code))
	key := make([]byte, sha256.Size)
	rand.Read(key)
	s := &session{editor: l.editor, lang: l.lang, key: key, began: now, seen: now, pace: bucket{size: 120, each: 250 * time.Millisecond}}
	var mine []hash
	for h, other := range e.sessions {
		if other.editor == l.editor {
			mine = append(mine, h)
		}
	}
	if len(mine) >= maxSessions {
		delete(e.sessions, slices.MinFunc(mine, func(a, b hash) int { return e.sessions[a].seen.Compare(e.sessions[b].seen) }))
	}
	secret := rand.Text()
	e.sessions[hashOf(secret)] = s
	return secret, s, nil
}

// who finds the session of a secret.
func (e *entrance) who(secret string, now time.Time) *session {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(now)
	s := e.sessions[hashOf(secret)]
	if s != nil {
		s.seen = now
	}
	return s
}

// leave ends a session.
func (e *entrance) leave(secret string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sessions, hashOf(secret))
}

// sweep drops what is over.
func (e *entrance) sweep(now time.Time) {
	for h, l := range e.links {
		if !now.Before(l.until) {
			delete(e.links, h)
		}
	}
	for h, s := range e.sessions {
		if now.Sub(s.seen) >= idleLife || now.Sub(s.began) >= sessionLife {
			delete(e.sessions, h)
		}
	}
}

// bucket lets through size things at once, and then one each so often.
type bucket struct {
	size int
	each time.Duration

	used int
	at   time.Time
}

func (b *bucket) take(now time.Time) bool {
	if n := int(now.Sub(b.at) / b.each); n > 0 {
		b.used = max(0, b.used-n)
		b.at = b.at.Add(time.Duration(n) * b.each)
		if b.used == 0 {
			b.at = now
		}
	}
	if b.used >= b.size {
		return false
	}
	b.used++
	return true
}

// token is what a form of the session carries to prove that it is one of this program's pages: another for each address
// that forms are sent to.
func (s *session) token(path string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(path))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

func (s *session) holds(path, token string) bool {
	return hmac.Equal([]byte(token), []byte(s.token(path)))
}

func (s *session) speaks() prompts.Lang {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lang
}

// Link implements [bot.Entrance]. The code stands behind the #, which no browser sends: it is in no log and no Referer, and
// what looks at links before people do does not use it up.
func (e *Editor) Link(_ context.Context, editor bot.ActorID, lang prompts.Lang) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.site.origin == "" {
		return "", errors.New("editor: it is not known yet where the library is reached")
	}
	return e.site.origin + e.site.base + "/in#" + e.in.invite(editor, lang, time.Now()), nil
}

// cookie is the session's. Over TLS its name keeps it from being set by any other host or path; browsers refuse that name
// without TLS, so that a machine's own loopback has another. Strict: no other site's page ever sends it.
func (s site) cookie(secret string) *http.Cookie {
	c := &http.Cookie{Name: "__Host-weerklank-library", Value: secret, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(sessionLife / time.Second)}
	if !s.tls {
		c.Name, c.Secure = "weerklank-library", false
	}
	if secret == "" {
		c.MaxAge = -1
	}
	return c
}

// secret is what the request's cookie says.
func (s site) secret(r *http.Request) string {
	all := r.CookiesNamed(s.cookie("").Name)
	if len(all) != 1 { // two are a trick: which one counts is not a guess
		return ""
	}
	return all[0].Value
}

// bare takes the code out of whatever a person pasted: the code, or the whole link.
func bare(pasted string) string {
	if i := strings.LastIndexByte(pasted, '#'); i >= 0 {
		pasted = pasted[i+1:]
	}
	return strings.ToUpper(strings.TrimSpace(pasted))
}
