package mattermost_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/bot/mattermost"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
	"github.com/weerklank/weerklank/prompts"
)

// ward is a server on which nothing is wrong, and a bot that the server reaches.
type ward struct {
	*mattermosttest.Server
	c                  mattermost.Config
	want               mattermost.Expected
	bot, team, channel string
	crew               []string
}

func newWard(t *testing.T, v mattermosttest.Version) *ward {
	t.Helper()
	s := mattermosttest.New(t, v)
	w := &ward{Server: s}
	var token string
	w.bot, token = s.AddBot("weerklank")
	for _, name := range []string{"irma", "jo", "fatima", "kees", "ans", "piet"} {
		w.crew = append(w.crew, s.AddUser(mattermosttest.User{Name: name}))
	}
	w.team = s.AddTeam("buiten", append([]string{w.bot}, w.crew...)...)
	w.channel = s.AddChannel(w.team, "ploeg", append([]string{w.bot}, w.crew...)...)
	w.c = mattermost.Config{URL: s.URL(), Token: token, Secret: []byte("0f3b57c1a9e2468d0f3b57c1a9e2468e"), CommandTokens: []string{"t"}}
	w.want = mattermost.Expected{Teams: []bot.TeamID{bot.TeamID("mattermost:" + w.channel), "workspace:elders"}, Names: []string{"irma"}}
	w.listen(t)
	return w
}

// listen serves the callbacks as a running bot does.
func (w *ward) listen(t *testing.T) {
	t.Helper()
	front := httptest.NewUnstartedServer(nil)
	w.c.CallbackURL = "http://" + front.Listener.Addr().String() + "/f00dbabef00dbabe"
	c := w.c
	c.Mark = func(context.Context) (time.Time, error) { return time.Time{}, nil }
	c.SetMark = func(context.Context, time.Time) error { return nil }
	c.OpenSince = c.Mark
	a, err := mattermost.New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	front.Config.Handler = a.Handler()
	front.Start()
	t.Cleanup(front.Close)
}

// keys are the findings of one level.
func keys(found []bot.Finding, level bot.Level) (out []string) {
	for _, f := range found {
		if f.Level == level {
			out = append(out, strings.TrimPrefix(f.Key, "cli.doctor-"))
		}
	}
	return out
}

// Nothing is found where nothing is wrong, and every planted fault is, alone, with one thing to do.
func TestCheckFindsEachFault(t *testing.T) {
	for _, v := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
		t.Run(v.String(), func(t *testing.T) {
			w := newWard(t, v)
			found := mattermost.Check(t.Context(), w.c, w.want)
			if bad := append(keys(found, bot.Must), keys(found, bot.Should)...); len(bad) > 0 {
				t.Errorf("found where nothing is wrong: %v", found)
			}
			if good := keys(found, bot.Good); !slices.Equal(good, []string{"account", "version", "where", "callback-good"}) {
				t.Errorf("what is right: %v", good)
			}
			if posts := w.Posts(w.channel); len(posts) > 0 {
				t.Errorf("the check left posts: %v", posts)
			}
		})
	}
	settings := func(change func(*mattermosttest.Settings)) func(*testing.T, *ward) {
		return func(_ *testing.T, w *ward) { w.Set(change) }
	}
	config := func(text string) func(*testing.T, *ward) {
		return func(_ *testing.T, w *ward) {
			w.Fail(1000, "GET", "/config/client", mattermosttest.Fault{Lost: true, Status: 200, Body: text})
		}
	}
	for want, plant := range map[string]func(*testing.T, *ward){
		"must unreachable":   func(_ *testing.T, w *ward) { w.Stop() },
		"must no-mattermost": func(_ *testing.T, w *ward) { w.Fail(1000, "", "", mattermosttest.Page(502)) },
		"must redirect": func(_ *testing.T, w *ward) {
			w.Fail(1000, "", "", mattermosttest.Fault{Lost: true, Status: 301, Header: map[string]string{"Location": "https://elsewhere.example.org/"}})
		},
		"must clock":             func(_ *testing.T, w *ward) { w.Advance(90 * time.Second) },
		"must token":             func(_ *testing.T, w *ward) { w.Revoke(w.c.Token) },
		"must no-bot":            func(_ *testing.T, w *ward) { w.c.Token = w.Token(w.crew[0]) },
		"should roles":           func(_ *testing.T, w *ward) { w.SetUser(w.bot, func(u *mattermosttest.User) { u.SystemAdmin = true }) },
		"should no-settings":     func(_ *testing.T, w *ward) { w.Fail(1000, "GET", "/config/client", mattermosttest.Page(403)) },
		"must version-old":       config(`{"Version":"9.10.3","SiteURL":"https://x","MaxPostSize":"16383"}`),
		"should version-new":     config(`{"Version":"11.3.0","SiteURL":"https://x","MaxPostSize":"16383"}`),
		"should version-unknown": config(`{"SiteURL":"https://x","MaxPostSize":"16383"}`),
		"must site-empty":        settings(func(s *mattermosttest.Settings) { s.SiteURL = "" }),
		"must site-scheme":       settings(func(s *mattermosttest.Settings) { s.SiteURL = "chat.example.org" }),
		"must site-slash":        settings(func(s *mattermosttest.Settings) { s.SiteURL += "/" }),
		"must edit-limit":        settings(func(s *mattermosttest.Settings) { s.EditTimeLimit = 300 }),
		"must post-size":         settings(func(s *mattermosttest.Settings) { s.MaxPostSize = 4000 }),
		"should direct":          settings(func(s *mattermosttest.Settings) { s.RestrictDMs = true }),
		"should commands-off":    settings(func(s *mattermosttest.Settings) { s.CommandsDisabled = true }),
		"must socket":            func(_ *testing.T, w *ward) { w.c.URL = proxyWithoutUpgrade(t, w.URL()) },
		"must team":              func(_ *testing.T, w *ward) { w.want.Teams = nil; w.Leave(w.channel, w.bot); w.LeaveTeam(w.team, w.bot) },
		"must channel":           func(_ *testing.T, w *ward) { w.want.Teams = nil; w.Leave(w.channel, w.bot) },
		"must out":               func(_ *testing.T, w *ward) { w.Leave(w.channel, w.bot); w.AddChannel(w.team, "ander", w.bot) },
		"must archived":          func(_ *testing.T, w *ward) { w.AddChannel(w.team, "ander", w.bot); w.Archive(w.channel) },
		"should few":             func(_ *testing.T, w *ward) { w.Deactivate(w.crew[5]) },
		"must name":              func(_ *testing.T, w *ward) { w.want.Names = append(w.want.Names, "nobody") },
		"should name-gone": func(_ *testing.T, w *ward) {
			w.AddTeam("x", w.addTo(t))
			w.Deactivate(w.crew[6])
			w.want.Names = []string{"gone"}
		},
		"should no-command":                      func(_ *testing.T, w *ward) { w.c.CommandTokens = nil },
		"should commands":                        func(_ *testing.T, w *ward) { w.c.CommandTokens = append(w.c.CommandTokens, "u") },
		"should no-callback":                     func(_ *testing.T, w *ward) { w.c.CallbackURL = "" },
		"must callback":                          func(_ *testing.T, w *ward) { w.c.CallbackURL = "http://127.0.0.1:1/f00dbabef00dbabe" },
		"must callback (another secret)":         func(_ *testing.T, w *ward) { w.c.Secret = []byte("1f3b57c1a9e2468d0f3b57c1a9e2468e") },
		"must callback (something else answers)": func(t *testing.T, w *ward) { w.c.CallbackURL = other(t) + "/f00dbabef00dbabe" },
	} {
		t.Run(want, func(t *testing.T) {
			w := newWard(t, mattermosttest.V11)
			plant(t, w)
			found := mattermost.Check(t.Context(), w.c, w.want)
			level, key, _ := strings.Cut(strings.SplitN(want, " (", 2)[0], " ")
			bad := append(keys(found, bot.Must), keys(found, bot.Should)...)
			if !slices.Equal(bad, []string{key}) || !slices.Contains(keys(found, bot.Level(level)), key) {
				t.Fatalf("found %v, want %s", found, want)
			}
			for _, f := range found {
				for _, lang := range prompts.Langs() {
					if text := locale.Say(lang, f.Key, f.Pairs...); strings.Contains(text, "{") || strings.Contains(text, w.c.Token) {
						t.Errorf("%s: %s", lang, text)
					}
				}
			}
		})
	}
}

// addTo adds somebody to the crew.
func (w *ward) addTo(t *testing.T) string {
	t.Helper()
	w.crew = append(w.crew, w.AddUser(mattermosttest.User{Name: "gone"}))
	return w.crew[len(w.crew)-1]
}

// other is a web server that is glad with anything.
func other(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	t.Cleanup(s.Close)
	return s.URL
}

// proxyWithoutUpgrade passes everything on but websockets.
func proxyWithoutUpgrade(t *testing.T, to string) string {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(u)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Upgrade")
		r.Header.Del("Connection")
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// Whether the bot is let in: yes, no, or nobody can say.
func TestAdmitted(t *testing.T) {
	w := newWard(t, mattermosttest.V11)
	if err := mattermost.Admitted(t.Context(), w.c); err != nil {
		t.Error(err)
	}
	w.Disable(w.bot)
	if err := mattermost.Admitted(t.Context(), w.c); !errors.Is(err, bot.ErrUnauthorised) {
		t.Errorf("disabled: %v", err)
	}
	w.Enable(w.bot)
	w.Fail(1, "", "/users/me", mattermosttest.Page(502))
	if err := mattermost.Admitted(t.Context(), w.c); err == nil || errors.Is(err, bot.ErrUnauthorised) {
		t.Errorf("a proxy without a server: %v", err)
	}
}

// People are found by the names they log in with; bots and who left are nobody.
func TestResolve(t *testing.T) {
	w := newWard(t, mattermosttest.V11)
	w.Deactivate(w.crew[1])
	c := w.c
	c.Mark = func(context.Context) (time.Time, error) { return time.Time{}, nil }
	c.SetMark = func(context.Context, time.Time) error { return nil }
	c.OpenSince = c.Mark
	a, err := mattermost.New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ids, err := a.Resolve(t.Context(), []string{"Irma", "jo", "weerklank", "nobody", "x y"})
	if err != nil || len(ids) != 1 || ids["Irma"] != w.crew[0] {
		t.Errorf("%v, %v", ids, err)
	}
	w.Fail(5, "", "/users/", mattermosttest.Page(502))
	if ids, err := a.Resolve(t.Context(), []string{"irma"}); err == nil {
		t.Errorf("a proxy without a server: %v", ids)
	}
}
