package mattermost

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
)

// Expected is what should be there besides the bot itself.
type Expected struct {
	Teams []bot.TeamID // that were switched on
	Gone  []bot.TeamID // of these, what the bot found itself out of
	Names []string     // of people to whom the configuration gives rights
}

// What servers were tried.
const (
	oldest = "9.11"
	newest = "11.2"
)

// Some limits of what is still right.
const (
	checkTime   = 15 * time.Second // of one call
	clockApart  = 60 * time.Second
	fullPost    = 16383
	fewPeople   = 6
	pageOfUsers = 200
)

// check is one look at a server.
type check struct {
	c     Config
	rest  *model.Client4
	me    *model.User
	found []bot.Finding
}

// Check asks a server for everything that the bot needs from it. It changes nothing there.
func Check(ctx context.Context, c Config, want Expected) []bot.Finding {
	k := &check{c: c, rest: client(c, checkTime)}
	if k.server(ctx) && k.account(ctx) {
		k.settings(ctx)
		k.socket(ctx)
		channels := k.channels(ctx)
		k.expected(ctx, want, channels)
		k.callback(ctx)
	}
	return k.found
}

// Admitted says whether the server takes the token. ErrUnauthorised: it does not. Anything else: it could not be asked.
func Admitted(ctx context.Context, c Config) error {
	_, r, err := client(c, checkTime).GetMe(ctx, "")
	switch code := statusOf(r); {
	case code == http.StatusUnauthorized:
		return bot.ErrUnauthorised
	case code != http.StatusOK || err != nil:
		return errors.New("mattermost: the server could not be asked who the bot is")
	}
	return nil
}

// client is a client that never waits for ever, also for a server that froze, and takes its token nowhere else: a redirect
// would carry it to another host.
func client(c Config, timeout time.Duration) *model.Client4 {
	rest := model.NewAPIv4Client(strings.TrimRight(c.URL, "/"))
	rest.SetToken(c.Token)
	rest.HTTPClient = &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return rest
}

func (k *check) say(level bot.Level, key string, pairs ...string) {
	k.found = append(k.found, bot.Finding{Level: level, Key: key, Pairs: pairs})
}

// server looks whether a Mattermost answers at the URL, and what time it is there.
func (k *check) server(ctx context.Context) bool {
	status, r, err := k.rest.GetPing(ctx)
	switch code := statusOf(r); {
	case code == 0:
		k.say(bot.Must, "cli.doctor-unreachable", "url", k.c.URL)
		return false
	case code >= 300 && code < 400:
		k.say(bot.Must, "cli.doctor-redirect", "url", k.c.URL)
		return false
	case code != http.StatusOK || err != nil || status == "":
		k.say(bot.Must, "cli.doctor-no-mattermost", "url", k.c.URL, "status", strconv.Itoa(code))
		return false
	case status != model.StatusOk:
		k.say(bot.Should, "cli.doctor-unwell")
	}
	if at, err := http.ParseTime(r.Header.Get("Date")); err == nil {
		if apart := time.Since(at).Abs(); apart > clockApart {
			k.say(bot.Must, "cli.doctor-clock", "seconds", strconv.Itoa(int(apart.Seconds())))
		}
	}
	return true
}

// account looks whose token it is, and that it may no more than it needs.
func (k *check) account(ctx context.Context) bool {
	me, r, err := k.rest.GetMe(ctx, "")
	switch code := statusOf(r); {
	case code == http.StatusUnauthorized:
		k.say(bot.Must, "cli.doctor-token")
		return false
	case code != http.StatusOK || err != nil || me == nil:
		k.say(bot.Must, "cli.doctor-no-mattermost", "url", k.c.URL, "status", strconv.Itoa(code))
		return false
	}
	k.me = me
	k.say(bot.Good, "cli.doctor-account", "name", me.Username)
	if !me.IsBot {
		k.say(bot.Must, "cli.doctor-no-bot", "name", me.Username)
	}
	if roles := strings.Fields(me.Roles); len(roles) != 1 || roles[0] != model.SystemUserRoleId {
		k.say(bot.Should, "cli.doctor-roles", "name", me.Username, "roles", strings.Join(roles, ", "))
	}
	return true
}

// settings is what a server tells every client of its configuration.
func settings(ctx context.Context, rest *model.Client4) (all map[string]string, status int, err error) {
	// Without the format 9.11 answers that it does not know it, and the client never names one.
	r, err := rest.DoAPIGet(ctx, "/config/client?format=old", "")
	if r != nil {
		status = r.StatusCode
	}
	if err == nil {
		err = json.NewDecoder(r.Body).Decode(&all)
		r.Body.Close()
	}
	return all, status, err
}

// settings looks at what the server tells of its configuration.
func (k *check) settings(ctx context.Context) {
	all, status, err := settings(ctx, k.rest)
	if status != http.StatusOK || err != nil {
		k.say(bot.Should, "cli.doctor-no-settings", "status", strconv.Itoa(status))
		return
	}
	version := all["Version"]
	switch {
	case !known(version):
		k.say(bot.Should, "cli.doctor-version-unknown", "oldest", oldest)
	case older(version, oldest):
		k.say(bot.Must, "cli.doctor-version-old", "version", short(version), "oldest", oldest)
	case older(newest, version):
		k.say(bot.Should, "cli.doctor-version-new", "version", short(version), "newest", newest)
	default:
		k.say(bot.Good, "cli.doctor-version", "version", short(version))
	}
	site := all["SiteURL"]
	switch u, err := url.Parse(site); {
	case site == "":
		k.say(bot.Must, "cli.doctor-site-empty")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		k.say(bot.Must, "cli.doctor-site-scheme", "site", site)
	case strings.HasSuffix(site, "/"):
		k.say(bot.Must, "cli.doctor-site-slash", "site", site)
	}
	if n, err := strconv.Atoi(all["MaxPostSize"]); err == nil && n < fullPost {
		k.say(bot.Must, "cli.doctor-post-size", "size", strconv.Itoa(n), "full", strconv.Itoa(fullPost))
	}
	if limit := all["PostEditTimeLimit"]; limit != "" && limit != "-1" {
		k.say(bot.Must, "cli.doctor-edit-limit", "seconds", limit)
	}
	if all["EnableCommands"] == "false" && k.c.CallbackURL != "" {
		k.say(bot.Should, "cli.doctor-commands-off")
	}
	if all["RestrictDirectMessage"] == "team" {
		k.say(bot.Should, "cli.doctor-direct")
	}
}

// numbers reads the first two numbers of a version.
func numbers(version string) (n [2]int, ok bool) {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return n, false
	}
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(parts[i]); err != nil {
			return n, false
		}
	}
	return n, true
}

func known(version string) bool {
	_, ok := numbers(version)
	return ok
}

func older(a, b string) bool {
	x, _ := numbers(a)
	y, _ := numbers(b)
	return slices.Compare(x[:], y[:]) < 0
}

// short leaves the build out of a version.
func short(version string) string {
	parts := strings.Split(version, ".")
	return strings.Join(parts[:min(3, len(parts))], ".")
}

// socket looks whether events come in: many a proxy lets no websocket through.
func (k *check) socket(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	at := "ws" + strings.TrimPrefix(strings.TrimRight(k.c.URL, "/"), "http") + model.APIURLSuffix + "/websocket"
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: 10 * time.Second}
	conn, resp, err := dialer.DialContext(ctx, at, http.Header{"Authorization": {"Bearer " + k.c.Token}})
	if resp != nil && resp.Body != nil {
		resp.Body.Close()
	}
	if err != nil {
		k.say(bot.Must, "cli.doctor-socket", "url", k.c.URL)
		return
	}
	defer conn.Close()
	conn.SetReadLimit(2 << 20)
	until, _ := ctx.Deadline()
	conn.SetReadDeadline(until)
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for {
		_, raw, err := conn.ReadMessage()
		var event struct {
			Event string `json:"event"`
		}
		switch {
		case err != nil:
			k.say(bot.Must, "cli.doctor-socket", "url", k.c.URL)
			return
		case json.Unmarshal(raw, &event) == nil && event.Event == string(model.WebsocketEventHello):
			return
		}
	}
}

// channels lists where the bot is, and says what teams and channels it misses.
func (k *check) channels(ctx context.Context) []*model.Channel {
	teams, r, err := k.rest.GetTeamsForUser(ctx, k.me.Id, "")
	if statusOf(r) != http.StatusOK || err != nil {
		k.say(bot.Should, "cli.doctor-no-teams", "status", strconv.Itoa(statusOf(r)))
		return nil
	}
	if len(teams) == 0 {
		k.say(bot.Must, "cli.doctor-team", "name", k.me.Username)
		return nil
	}
	all, r, err := k.rest.GetChannelsForUserWithLastDeleteAt(ctx, k.me.Id, 0)
	if statusOf(r) != http.StatusOK || err != nil {
		k.say(bot.Should, "cli.doctor-no-teams", "status", strconv.Itoa(statusOf(r)))
		return nil
	}
	all = slices.DeleteFunc(all, func(c *model.Channel) bool {
		return c.Type != model.ChannelTypeOpen && c.Type != model.ChannelTypePrivate || c.DeleteAt > 0
	})
	own := slices.DeleteFunc(slices.Clone(all), func(c *model.Channel) bool { return isDefault(c) })
	if len(own) == 0 {
		k.say(bot.Must, "cli.doctor-channel", "name", k.me.Username)
		return all
	}
	k.say(bot.Good, "cli.doctor-where", "teams", strconv.Itoa(len(teams)), "channels", strconv.Itoa(len(own)))
	k.commands(teams)
	return all
}

// isDefault finds the channels that everybody of a team is put in.
func isDefault(c *model.Channel) bool {
	return c.Name == model.DefaultChannelName || c.Name == "off-topic"
}

// commands compares what a bot can know of the slash command: it may not list those of a server.
func (k *check) commands(teams []*model.Team) {
	switch have := len(k.c.CommandTokens); {
	case k.c.CallbackURL == "":
	case have == 0:
		k.say(bot.Should, "cli.doctor-no-command")
	case have != len(teams):
		k.say(bot.Should, "cli.doctor-commands", "have", strconv.Itoa(have), "teams", strconv.Itoa(len(teams)))
	}
}

// expected looks at the channels that were switched on, and at the people who were given rights.
func (k *check) expected(ctx context.Context, want Expected, in []*model.Channel) {
	for _, team := range want.Teams {
		id, ours := strings.CutPrefix(string(team), Platform+":")
		if !ours {
			continue
		}
		i := slices.IndexFunc(in, func(c *model.Channel) bool { return c.Id == id })
		if i < 0 {
			k.missing(ctx, id, bot.Must)
			continue
		}
		if n, ok := k.people(ctx, id); ok && n < fewPeople {
			k.say(bot.Should, "cli.doctor-few", "channel", in[i].DisplayName, "count", strconv.Itoa(n), "least", strconv.Itoa(fewPeople))
		}
	}
	for _, team := range want.Gone { // perhaps for good, and meant
		if id, ours := strings.CutPrefix(string(team), Platform+":"); ours {
			k.missing(ctx, id, bot.Should)
		}
	}
	for _, name := range want.Names {
		u, r, err := k.rest.GetUserByUsername(ctx, name, "")
		switch code := statusOf(r); {
		case code == http.StatusNotFound || code == http.StatusBadRequest:
			k.say(bot.Must, "cli.doctor-name", "name", name)
		case code == http.StatusOK && err == nil && u.DeleteAt > 0:
			k.say(bot.Should, "cli.doctor-name-gone", "name", name)
		}
	}
}

// missing says why a channel that was switched on is none of the bot's.
func (k *check) missing(ctx context.Context, id string, level bot.Level) {
	c, r, err := k.rest.GetChannel(ctx, id)
	switch {
	case statusOf(r) == http.StatusOK && err == nil && c.DeleteAt > 0:
		k.say(level, "cli.doctor-archived", "channel", c.DisplayName)
	case statusOf(r) == http.StatusOK && err == nil:
		k.say(level, "cli.doctor-out", "channel", c.DisplayName, "name", k.me.Username)
	default:
		k.say(level, "cli.doctor-out", "channel", id, "name", k.me.Username)
	}
}

// people counts who is in a channel, without bots and deactivated accounts.
func (k *check) people(ctx context.Context, channel string) (n int, ok bool) {
	for page := 0; ; page++ {
		users, r, err := k.rest.GetUsersInChannel(ctx, channel, page, pageOfUsers, "")
		if statusOf(r) != http.StatusOK || err != nil {
			return 0, false
		}
		for _, u := range users {
			if !u.IsBot && u.DeleteAt == 0 {
				n++
			}
		}
		if n >= fewPeople || len(users) < pageOfUsers {
			return n, true
		}
	}
}

// callback has the server submit a dialog to the bot's own callback.
func (k *check) callback(ctx context.Context) {
	if k.c.CallbackURL == "" {
		k.say(bot.Should, "cli.doctor-no-callback")
		return
	}
	host := ""
	if u, err := url.Parse(k.c.CallbackURL); err == nil {
		host = u.Hostname()
	}
	c := k.c // nothing of it is kept: the adapter is asked for one thing
	c.Mark = func(context.Context) (time.Time, error) { return time.Time{}, nil }
	c.SetMark = func(context.Context, time.Time) error { return nil }
	c.OpenSince = c.Mark
	a, err := New(c, slog.New(slog.DiscardHandler))
	if err == nil {
		err = a.Probe(ctx)
	}
	switch {
	case err == nil:
		k.say(bot.Good, "cli.doctor-callback-good")
	case !errors.Is(err, ErrNoChannel): // which was told already
		k.say(bot.Must, "cli.doctor-callback", "url", k.c.CallbackURL, "host", host)
	}
}

// statusOf is the status of an answer of the server; zero without one.
func statusOf(r *model.Response) int {
	if r == nil {
		return 0
	}
	return r.StatusCode
}
