package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// Expected is what should be there besides the bot itself.
type Expected struct {
	Teams     []bot.TeamID                                // that were switched on
	Gone      []bot.TeamID                                // of these, what the bot found itself out of
	Members   []string                                    // ids of people to whom the configuration gives rights
	Templates func(lang prompts.Lang) ([]Template, error) // what the bot may send; nil: Templates
	Base      string                                      // where Slack sends requests, over HTTP; empty: not known
	Running   bool                                        // a bot is running with the same tokens
}

// Template is something that the bot sends, with as much in it as there may be.
type Template struct {
	Name    string
	Kind    string // as blocks.validate names it: blocks, message or view
	Payload any
}

// Some limits of what is still right.
const (
	clockApart     = 60 * time.Second
	leastPeople    = 6
	mostTries      = 3 // of a call that is limited
	longestTry     = 30 * time.Second
	mostSockets    = 10 // of one app
	maxPayload     = 100_000
	mostChallenges = 4 << 10
)

// check is one look at a workspace.
type check struct {
	c     Config
	w     *wire
	team  string
	name  string
	found []bot.Finding
}

// Check asks Slack for everything that the bot needs from it. It changes nothing there, and reads no message.
func Check(ctx context.Context, c Config, want Expected) []bot.Finding {
	k := &check{c: c, w: newWire(wireConfig{BotToken: c.BotToken, AppToken: c.AppToken, APIURL: c.APIURL})}
	if !k.account(ctx) {
		return k.found
	}
	k.clock()
	k.scopes()
	if c.HTTP {
		k.requests(ctx, want.Base)
	} else {
		k.socket(ctx, want.Running)
	}
	if want.Templates == nil {
		want.Templates = Templates
	}
	k.templates(ctx, want.Templates)
	k.channels(ctx, want)
	k.members(ctx, want.Members)
	return k.found
}

// CheckOffline holds what this program makes of itself to what Slack takes: the manifest, and everything that it may send.
func CheckOffline() []bot.Finding {
	for _, lang := range prompts.Langs() {
		_, err := Manifest("Weerklank", lang, "")
		if err == nil {
			_, err = Templates(lang)
		}
		if err != nil {
			return []bot.Finding{{Level: bot.Must, Key: "cli.doctor-slack-sizes", Pairs: []string{"wrong", err.Error()}}}
		}
	}
	return []bot.Finding{{Level: bot.Good, Key: "cli.doctor-slack-manifest"}}
}

func (k *check) say(level bot.Level, key string, pairs ...string) {
	k.found = append(k.found, bot.Finding{Level: level, Key: key, Pairs: pairs})
}

// refusal is an answer of Slack that is no success.
type refusal struct {
	Status int    // of HTTP; zero: there was no answer
	Code   string // as Slack says it; empty: it is no answer of Slack
	raw    []byte
}

func (r *refusal) Error() string { return "slack: " + r.shown() }

// shown is a few characters for people, that hold nothing of what was asked.
func (r *refusal) shown() string {
	if r.Code != "" {
		return r.Code
	}
	return strconv.Itoa(r.Status)
}

// ask calls a method of the Web API. A limit is waited for, a few times.
func (k *check) ask(ctx context.Context, method, token string, args url.Values, answer any) *refusal {
	for try := 1; ; try++ {
		r, wait := k.askOnce(ctx, method, token, args, answer)
		if wait == 0 || try == mostTries || sleep(ctx, wait) != nil {
			return r
		}
	}
}

func (k *check) askOnce(ctx context.Context, method, token string, args url.Values, answer any) (r *refusal, wait time.Duration) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.w.url+method, strings.NewReader(args.Encode()))
	if err != nil {
		return &refusal{}, 0
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := k.w.plain.Do(req)
	if err != nil {
		return &refusal{}, 0
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusTooManyRequests {
		n, _ := strconv.Atoi(resp.Header.Get(retryHeader))
		return &refusal{Status: resp.StatusCode, Code: "ratelimited"}, min(max(time.Duration(n)*time.Second, time.Second), longestTry)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	var said struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	switch {
	case err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(raw, &said) != nil || said.OK == nil:
		return &refusal{Status: resp.StatusCode}, 0
	case !*said.OK:
		return &refusal{resp.StatusCode, plainCode(said.Error), raw}, 0
	case answer != nil && json.Unmarshal(raw, answer) != nil:
		return &refusal{Status: resp.StatusCode}, 0
	}
	return nil, 0
}

// account looks whose token it is.
func (k *check) account(ctx context.Context) bool {
	var me struct {
		Team   string `json:"team"`
		TeamID string `json:"team_id"`
		User   string `json:"user"`
		BotID  string `json:"bot_id"`
	}
	if r := k.ask(ctx, "auth.test", k.c.BotToken, nil, &me); r != nil {
		k.refused(r, slotBot)
		return false
	}
	k.team, k.name = me.TeamID, me.User
	k.say(bot.Good, "cli.doctor-slack-account", "name", me.User, "workspace", me.Team)
	if me.BotID == "" {
		k.say(bot.Must, "cli.doctor-slack-no-bot", "name", me.User)
	}
	return true
}

// refused says why Slack does not take a token, or cannot be asked.
func (k *check) refused(r *refusal, of slot) {
	switch {
	case r.Status == 0:
		k.say(bot.Must, "cli.doctor-slack-unreachable", "url", k.w.url)
	case r.Code == "":
		k.say(bot.Must, "cli.doctor-slack-no-slack", "url", k.w.url, "status", strconv.Itoa(r.Status))
	case r.Code == "not_allowed_token_type" && of == slotApp, r.Code == "missing_scope" && of == slotApp:
		k.say(bot.Must, "cli.doctor-slack-app-token", "code", r.Code)
	case slices.Contains([]string{"no_permission", "org_login_required", "access_denied", "team_access_not_granted", "enterprise_is_restricted", "forbidden_team"}, r.Code):
		k.say(bot.Must, "cli.doctor-slack-admin", "slot", string(of), "code", r.Code)
	case slices.Contains(fatalCodes(), r.Code) && of == slotApp:
		k.say(bot.Must, "cli.doctor-slack-app-token", "code", r.Code)
	case slices.Contains(fatalCodes(), r.Code):
		k.say(bot.Must, "cli.doctor-slack-bot-token", "code", r.Code)
	default: // it is unwell, or we asked too much
		k.say(bot.Should, "cli.doctor-slack-unwell", "code", r.Code)
	}
}

func (k *check) clock() {
	if apart, ok := k.w.clock(); ok && apart.Abs() > clockApart {
		k.say(bot.Must, "cli.doctor-slack-clock", "seconds", strconv.Itoa(int(apart.Abs().Seconds())))
	}
}

// scopes compares what the token may with what the bot needs.
func (k *check) scopes() {
	have := k.w.granted(slotBot)
	if have == nil {
		k.say(bot.Should, "cli.doctor-slack-no-scopes")
		return
	}
	without := func(all, known []string) string {
		return strings.Join(slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(known, s) }), ", ")
	}
	missing, more := without(Scopes(), have), without(have, Scopes())
	if missing != "" {
		k.say(bot.Must, "cli.doctor-slack-scopes-missing", "scopes", missing)
	}
	if more != "" {
		k.say(bot.Should, "cli.doctor-slack-scopes-more", "scopes", more)
	}
	if missing == "" && more == "" {
		k.say(bot.Good, "cli.doctor-slack-scopes")
	}
}

// socket opens a connection of Socket Mode and looks who else has one. Beside a running bot it opens none: what people do in
// that moment might come to it, and be lost.
func (k *check) socket(ctx context.Context, running bool) {
	var open struct {
		URL string `json:"url"`
	}
	if r := k.ask(ctx, "apps.connections.open", k.c.AppToken, nil, &open); r != nil {
		k.refused(r, slotApp)
		return
	}
	if running {
		k.say(bot.Good, "cli.doctor-slack-socket-busy")
		return
	}
	switch n, err := connections(ctx, open.URL); {
	case err != nil:
		k.say(bot.Must, "cli.doctor-slack-socket")
	case n >= mostSockets:
		k.say(bot.Must, "cli.doctor-slack-socket-full", "count", strconv.Itoa(n-1), "most", strconv.Itoa(mostSockets))
	case n > 1:
		k.say(bot.Must, "cli.doctor-slack-socket-others", "count", strconv.Itoa(n-1))
	default:
		k.say(bot.Good, "cli.doctor-slack-socket-good")
	}
}

// connections is how many there are of the app, this one included.
func connections(ctx context.Context, at string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTime)
	defer cancel()
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: dialTime}
	conn, resp, err := dialer.DialContext(ctx, at, nil)
	if resp != nil && resp.Body != nil {
		resp.Body.Close()
	}
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetReadLimit(maxFrame)
	until, _ := ctx.Deadline()
	conn.SetReadDeadline(until)
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for {
		_, raw, err := conn.ReadMessage()
		if err != nil {
			return 0, err
		}
		var hello struct {
			Type        string `json:"type"`
			Connections int    `json:"num_connections"`
		}
		if json.Unmarshal(raw, &hello) != nil {
			continue
		}
		switch hello.Type {
		case "hello":
			return hello.Connections, nil
		case "disconnect":
			return 0, errors.New("slack: disconnected at once")
		}
	}
}

// requests looks whether what Slack sends would arrive: a challenge, signed as Slack signs, goes the way from the outside.
func (k *check) requests(ctx context.Context, base string) {
	if base == "" {
		k.say(bot.Must, "cli.doctor-slack-no-public")
		return
	}
	at := base + pathEvents
	switch status, ok := k.challenge(ctx, at); {
	case ok:
		k.say(bot.Good, "cli.doctor-slack-requests-good", "url", base)
	case status == http.StatusUnauthorized:
		k.say(bot.Must, "cli.doctor-slack-requests-secret", "url", at)
	default:
		k.say(bot.Must, "cli.doctor-slack-requests", "url", at, "status", strconv.Itoa(status))
	}
}

// challenge sends a challenge to the program, and says whether it came back.
func (k *check) challenge(ctx context.Context, at string) (status int, ok bool) {
	word := rand.Text()
	body, err := json.Marshal(map[string]string{"type": "url_verification", "challenge": word})
	if err != nil {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(body))
	if err != nil {
		return 0, false
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(k.c.SigningSecret))
	mac.Write([]byte("v0:" + now + ":"))
	mac.Write(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Slack-Request-Timestamp", now)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	back, err := io.ReadAll(io.LimitReader(resp.Body, mostChallenges))
	return resp.StatusCode, err == nil && resp.StatusCode == http.StatusOK && strings.Contains(string(back), word)
}

// templates has Slack look at everything that the bot may send, in both languages.
func (k *check) templates(ctx context.Context, make func(prompts.Lang) ([]Template, error)) {
	n, wrong := 0, false
	for _, lang := range prompts.Langs() {
		all, err := make(lang)
		if err != nil {
			k.say(bot.Must, "cli.doctor-slack-template", "name", string(lang), "wrong", err.Error())
			return
		}
		for _, t := range all {
			raw, err := json.Marshal(t.Payload)
			if err != nil || len(raw) > maxPayload { // which is no fault: Slack looks at no more
				continue
			}
			r := k.ask(ctx, "blocks.validate", k.c.BotToken, url.Values{t.Kind: {string(raw)}}, nil)
			switch {
			case r == nil:
				n++
			case r.Code == "invalid_blocks":
				wrong = true
				k.say(bot.Must, "cli.doctor-slack-template", "name", t.Name+" ("+string(lang)+")", "wrong", r.wrong())
			default: // it does not know the method, or asks too little of us
				k.say(bot.Should, "cli.doctor-slack-no-templates", "code", r.shown())
				return
			}
		}
	}
	if !wrong {
		k.say(bot.Good, "cli.doctor-slack-templates", "count", strconv.Itoa(n))
	}
}

// wrong is where blocks are wrong, and how: nothing of what stands in them.
func (r *refusal) wrong() string {
	var said struct {
		Errors []struct {
			Pointer string `json:"pointer"`
			Code    string `json:"code"`
		} `json:"errors"`
	}
	if json.Unmarshal(r.raw, &said) != nil {
		return r.Code
	}
	var all []string
	for _, e := range said.Errors {
		all = append(all, e.Pointer+" "+plainCode(e.Code))
	}
	if len(all) == 0 {
		return r.Code
	}
	return strings.Join(all[:min(len(all), 3)], "; ")
}

// room is what Slack says of a channel.
type room struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Member   bool   `json:"is_member"`
	Archived bool   `json:"is_archived"`
	Shared   bool   `json:"is_ext_shared"`
	Pending  bool   `json:"is_pending_ext_shared"`
}

// channels looks at those that were switched on, and whether the bot is in any.
func (k *check) channels(ctx context.Context, want Expected) {
	for _, team := range want.Teams {
		k.channel(ctx, team, bot.Must)
	}
	for _, team := range want.Gone { // perhaps for good, and meant
		k.channel(ctx, team, bot.Should)
	}
	var in struct {
		Channels []room `json:"channels"`
	}
	args := url.Values{"types": {"public_channel,private_channel"}, "exclude_archived": {"true"}, "limit": {strconv.Itoa(pageSize)}}
	switch r := k.ask(ctx, "users.conversations", k.c.BotToken, args, &in); {
	case r != nil: // which has its reason among the scopes, if it is not a moment's
		k.say(bot.Should, "cli.doctor-slack-unwell", "code", r.shown())
	case len(in.Channels) == 0:
		k.say(bot.Must, "cli.doctor-slack-no-channel", "name", k.name)
	default:
		k.say(bot.Good, "cli.doctor-slack-where", "channels", strconv.Itoa(len(in.Channels)))
	}
}

// channel looks at one that was switched on.
func (k *check) channel(ctx context.Context, team bot.TeamID, level bot.Level) {
	place, ours := strings.CutPrefix(string(team), Platform+":")
	if !ours {
		return
	}
	if workspace, _, ok := strings.Cut(place, "/"); ok && workspace != k.team {
		k.say(level, "cli.doctor-slack-other", "channel", place)
		return
	}
	id := channelOf(team)
	var info struct {
		Channel room `json:"channel"`
	}
	r := k.ask(ctx, "conversations.info", k.c.BotToken, url.Values{"channel": {id}}, &info)
	switch c := info.Channel; {
	case r != nil && r.Code != "channel_not_found":
		k.say(bot.Should, "cli.doctor-slack-unwell", "code", r.shown())
	case r != nil:
		k.say(level, "cli.doctor-slack-out", "channel", id, "name", k.name)
	case c.Archived:
		k.say(level, "cli.doctor-slack-archived", "channel", c.Name)
	case c.Shared || c.Pending:
		k.say(level, "cli.doctor-slack-shared", "channel", c.Name)
	case !c.Member:
		k.say(level, "cli.doctor-slack-out", "channel", c.Name, "name", k.name)
	case level == bot.Must:
		if n, ok := k.people(ctx, id); ok && n < leastPeople {
			k.say(bot.Should, "cli.doctor-few", "channel", c.Name, "count", strconv.Itoa(n), "least", strconv.Itoa(leastPeople))
		}
	}
}

// account is what Slack says of somebody.
type account struct {
	Bot     bool `json:"is_bot"`
	Deleted bool `json:"deleted"`
}

// people counts who is in a channel, without bots and deactivated accounts, up to enough.
func (k *check) people(ctx context.Context, channel string) (n int, ok bool) {
	cursor := ""
	for {
		var page struct {
			Members []string `json:"members"`
			Meta    struct {
				Cursor string `json:"next_cursor"`
			} `json:"response_metadata"`
		}
		args := url.Values{"channel": {channel}, "limit": {strconv.Itoa(pageSize)}}
		if cursor != "" {
			args.Set("cursor", cursor)
		}
		if k.ask(ctx, "conversations.members", k.c.BotToken, args, &page) != nil {
			return 0, false
		}
		for _, id := range page.Members {
			if u, r := k.user(ctx, id); r == nil && !u.Bot && !u.Deleted {
				if n++; n == leastPeople {
					return n, true
				}
			}
		}
		if cursor = page.Meta.Cursor; cursor == "" {
			return n, true
		}
	}
}

func (k *check) user(ctx context.Context, id string) (account, *refusal) {
	var info struct {
		User account `json:"user"`
	}
	r := k.ask(ctx, "users.info", k.c.BotToken, url.Values{"user": {id}}, &info)
	return info.User, r
}

// members looks at people to whom the configuration gives rights.
func (k *check) members(ctx context.Context, ids []string) {
	for _, id := range ids {
		u, r := k.user(ctx, id)
		switch {
		case r != nil && (r.Code == "user_not_found" || r.Code == "user_not_visible"):
			k.say(bot.Must, "cli.doctor-slack-member", "id", id)
		case r == nil && (u.Deleted || u.Bot):
			k.say(bot.Should, "cli.doctor-slack-member-gone", "id", id)
		}
	}
}
