package mattermost_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/mattermost"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
	"github.com/weerklank/weerklank/prompts"
)

func plain(text string) bot.Message {
	return bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{{Kind: bot.BlockText, Spans: []bot.Span{{Text: text}}}}}
}

// outcome is an error in the words of the port.
func outcome(err error) string {
	var retry *bot.RetryError
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &retry):
		return "retry"
	case errors.Is(err, bot.ErrUncertain):
		return "uncertain"
	case errors.Is(err, bot.ErrGone):
		return "gone"
	case errors.Is(err, bot.ErrNotFound):
		return "not found"
	case errors.Is(err, bot.ErrUnauthorised):
		return "unauthorised"
	}
	return "failed"
}

// until counts people until that comes of it: connections that the server closed are gone then.
func (d *desk) until(want string) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-time.After(time.Millisecond) {
		if _, err := d.a.Count(context.Background(), bot.TeamID("mattermost:"+d.crew)); outcome(err) == want {
			return
		}
	}
	d.t.Fatalf("never: %s", want)
}

// What comes of each thing that can go wrong with a call, and what stands on the server then. Nothing stands there twice, and
// nothing is told to be absent that stands there.
func TestErrorTable(t *testing.T) {
	const post, put, get = "POST /posts", "PUT /posts/", "GET /posts/"
	f := func(x mattermosttest.Fault) *mattermosttest.Fault { return &x }
	hang := mattermosttest.DoneHang()
	for name, c := range map[string]struct {
		act   string // post, direct, edit, count, find
		call  string // that goes wrong
		times int
		fault *mattermosttest.Fault
		do    func(*desk) // before
		want  string
		stand int // of the new text
	}{
		"post":                                {act: "post", want: "done", stand: 1},
		"post 401":                            {act: "post", do: func(d *desk) { d.s.Revoke(d.token) }, want: "unauthorised"},
		"post not a member":                   {act: "post", do: func(d *desk) { d.s.Leave(d.crew, d.me) }, want: "gone"},
		"post in a channel that is read only": {act: "post", do: func(d *desk) { d.s.Set(func(s *mattermosttest.Settings) { s.ReadOnly = true }) }, want: "failed"},
		"post 403, then silence": {act: "post", do: func(d *desk) {
			d.s.Set(func(s *mattermosttest.Settings) { s.ReadOnly = true })
			d.s.Fail(1, "GET", "/members/", mattermosttest.Broken(502, false))
		}, want: "retry"},
		"post a picture":                       {act: "picture", want: "done", stand: 1},
		"post a picture, uploads switched off": {act: "picture", do: func(d *desk) { d.s.Set(func(s *mattermosttest.Settings) { s.UploadsDisabled = true }) }, want: "done", stand: 1},
		"post a picture, not a member":         {act: "picture", do: func(d *desk) { d.s.Leave(d.crew, d.me) }, want: "gone"},
		"post a picture, 502 on it":            {act: "picture", call: "POST /files", times: 1, fault: f(mattermosttest.Broken(502, false)), want: "retry"},
		"post archived":                        {act: "post", do: func(d *desk) { d.s.Archive(d.crew) }, want: "gone"},
		"post too long":                        {act: "post", do: func(d *desk) { d.s.Set(func(s *mattermosttest.Settings) { s.MaxPostSize = 3 }) }, want: "failed"},
		"post 400, then silence": {act: "post", do: func(d *desk) {
			d.s.Archive(d.crew)
			d.s.Fail(1, "GET", "/channels/", mattermosttest.Broken(502, false))
		}, want: "retry"},
		"post bad root":               {act: "thread", want: "failed"},
		"post 429":                    {act: "post", call: post, times: 1, fault: f(mattermosttest.Limited("7")), want: "retry"},
		"post 429 without a time":     {act: "post", call: post, times: 1, fault: f(mattermosttest.Limited("")), want: "retry"},
		"post 501":                    {act: "post", call: post, times: 1, fault: f(mattermosttest.Broken(501, false)), want: "failed"},
		"post 502 before":             {act: "post", call: post, times: 1, fault: f(mattermosttest.Broken(502, false)), want: "done", stand: 1},
		"post 502 after":              {act: "post", call: post, times: 1, fault: f(mattermosttest.Broken(502, true)), want: "done", stand: 1},
		"post cut before":             {act: "post", call: post, times: 1, fault: f(mattermosttest.LostCut()), want: "done", stand: 1},
		"post cut after":              {act: "post", call: post, times: 1, fault: f(mattermosttest.DoneCut()), want: "done", stand: 1},
		"post cut in the answer":      {act: "post", call: post, times: 1, fault: f(mattermosttest.DoneHalf()), want: "done", stand: 1},
		"post without an answer":      {act: "post", call: post, times: 1, fault: &hang, want: "done", stand: 1},
		"post cut after, always":      {act: "post", call: post, times: 1000, fault: f(mattermosttest.DoneCut()), want: "uncertain", stand: 1},
		"post cut after, then 429":    {act: "post", call: post, times: 1, fault: f(mattermosttest.DoneCut()), do: func(d *desk) { d.then(429) }, want: "uncertain", stand: 1},
		"post cut before, then 403":   {act: "post", call: post, times: 1, fault: f(mattermosttest.LostCut()), do: func(d *desk) { d.then(403) }, want: "uncertain"},
		"post page 502":               {act: "post", call: post, times: 1, fault: f(mattermosttest.Page(502)), want: "done", stand: 1},
		"post page 404 of a proxy":    {act: "post", call: post, times: 1, fault: f(mattermosttest.Page(404)), want: "retry"},
		"post page 403 of a proxy":    {act: "post", call: post, times: 1, fault: f(mattermosttest.Page(403)), want: "retry"},
		"post page 200 of a proxy":    {act: "post", call: post, times: 1000, fault: f(mattermosttest.Page(200)), want: "uncertain"},
		"post, nobody listens":        {act: "post", do: func(d *desk) { d.s.Stop(); d.until("retry") }, want: "retry"},
		"direct":                      {act: "direct", want: "done", stand: 1},
		"direct 401":                  {act: "direct", do: func(d *desk) { d.s.Revoke(d.token) }, want: "unauthorised"},
		"direct 429 on the account":   {act: "direct", call: "GET /users/", times: 1, fault: f(mattermosttest.Limited("1")), want: "retry"},
		"direct 502 on the account":   {act: "direct", call: "GET /users/", times: 1, fault: f(mattermosttest.Broken(502, false)), want: "retry"},
		"direct 404 on the account":   {act: "direct", call: "GET /users/", times: 1, fault: f(mattermosttest.Broken(404, false)), want: "not found"},
		"direct 403 on the account":   {act: "direct", call: "GET /users/", times: 1, fault: f(mattermosttest.Broken(403, false)), want: "retry"},
		"direct 429 on opening":       {act: "direct", call: "POST /channels/direct", times: 1, fault: f(mattermosttest.Limited("1")), want: "retry"},
		"direct 403 on opening":       {act: "direct", call: "POST /channels/direct", times: 1, fault: f(mattermosttest.Broken(403, false)), want: "failed"},
		"direct 502 on opening":       {act: "direct", call: "POST /channels/direct", times: 1, fault: f(mattermosttest.Broken(502, true)), want: "retry"},
		"direct cut after":            {act: "direct", call: post, times: 1, fault: f(mattermosttest.DoneCut()), want: "done", stand: 1},
		"direct cut after, always":    {act: "direct", call: post, times: 1000, fault: f(mattermosttest.DoneCut()), want: "uncertain", stand: 1},
		"direct, account deactivated": {act: "direct", do: func(d *desk) { d.s.Deactivate(d.fatima) }, want: "failed"},
		"direct 403 on the post":      {act: "direct", call: post, times: 1, fault: f(mattermosttest.Broken(403, false)), want: "failed"},
		"edit":                        {act: "edit", want: "done", stand: 1},
		"edit 401":                    {act: "edit", do: func(d *desk) { d.s.Revoke(d.token) }, want: "unauthorised"},
		"edit not a member":           {act: "edit", do: func(d *desk) { d.s.Leave(d.crew, d.me) }, want: "gone"},
		"edit archived":               {act: "edit", do: func(d *desk) { d.s.Archive(d.crew) }, want: "gone"},
		"edit of what was deleted":    {act: "edit", do: func(d *desk) { d.s.Delete(d.old) }, want: "not found"},
		"edit 429 at looking":         {act: "edit", call: get, times: 1, fault: f(mattermosttest.Limited("1")), want: "retry"},
		"edit 502 at looking":         {act: "edit", call: get, times: 1, fault: f(mattermosttest.Broken(502, false)), want: "retry"},
		"edit 429":                    {act: "edit", call: put, times: 1, fault: f(mattermosttest.Limited("1")), want: "retry"},
		"edit 502 before":             {act: "edit", call: put, times: 1, fault: f(mattermosttest.Broken(502, false)), want: "uncertain"},
		"edit 502 after":              {act: "edit", call: put, times: 1, fault: f(mattermosttest.Broken(502, true)), want: "uncertain", stand: 1},
		"edit cut after":              {act: "edit", call: put, times: 1, fault: f(mattermosttest.DoneCut()), want: "uncertain", stand: 1},
		"edit cut in the answer":      {act: "edit", call: put, times: 1, fault: f(mattermosttest.DoneHalf()), want: "uncertain", stand: 1},
		"edit page 404 of a proxy":    {act: "edit", call: get, times: 1, fault: f(mattermosttest.Page(404)), want: "retry"},
		"edit 501":                    {act: "edit", call: put, times: 1, fault: f(mattermosttest.Broken(501, false)), want: "failed"},
		"count":                       {act: "count", want: "done"},
		"count 401":                   {act: "count", do: func(d *desk) { d.s.Revoke(d.token) }, want: "unauthorised"},
		"count 403 of a member":       {act: "count", call: "GET /channels/", times: 1, fault: f(mattermosttest.Broken(403, false)), want: "failed"},
		"count not a member":          {act: "count", do: func(d *desk) { d.crew = d.s.AddPrivate(d.team, "besloten", d.fatima) }, want: "gone"},
		"count archived":              {act: "count", do: func(d *desk) { d.s.Archive(d.crew) }, want: "gone"},
		"count 429":                   {act: "count", call: "GET /users", times: 1, fault: f(mattermosttest.Limited("1")), want: "retry"},
		"count 502":                   {act: "count", call: "GET /users", times: 1, fault: f(mattermosttest.Broken(502, false)), want: "failed"},
		"count page 403 of a proxy":   {act: "count", call: "GET /channels/", times: 1, fault: f(mattermosttest.Page(403)), want: "retry"},
		"find":                        {act: "find", want: "done"},
		"find what is not there":      {act: "find other", want: "not found"},
		"find what was taken away":    {act: "find", do: func(d *desk) { d.s.Delete(d.old) }, want: "done"}, // never posted again
		"find what was edited":        {act: "find", do: func(d *desk) { d.s.Edit(d.old, "anders") }, want: "done"},
		"find 401":                    {act: "find", do: func(d *desk) { d.s.Revoke(d.token) }, want: "unauthorised"},
		"find not a member":           {act: "find", do: func(d *desk) { d.s.Leave(d.crew, d.me) }, want: "done"}, // a public channel can be read
		"find 403":                    {act: "find", call: "GET /channels/", times: 1, fault: f(mattermosttest.Broken(403, false)), want: "uncertain"},
		"find 429":                    {act: "find", call: "GET /channels/", times: 1, fault: f(mattermosttest.Limited("1")), want: "retry"},
		"find 502":                    {act: "find", call: "GET /channels/", times: 1, fault: f(mattermosttest.Broken(502, false)), want: "failed"},
		"find cut in the answer":      {act: "find", call: "GET /channels/", times: 2, fault: f(mattermosttest.DoneHalf()), want: "failed"},
		"find page 404 of a proxy":    {act: "find", call: "GET /channels/", times: 1, fault: f(mattermosttest.Page(404)), want: "retry"},
	} {
		for _, version := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
			t.Run(name+" "+version.String(), func(t *testing.T) {
				t.Parallel()
				d := newDesk(t, version)
				d.start(func(a *mattermost.Adapter) { a.AgainWithin(1500 * time.Millisecond) })
				defer func() { d.stop() }()
				ctx, crew := context.Background(), bot.TeamID("mattermost:"+d.crew)
				d.a.CallTime(400 * time.Millisecond)
				ref, err := d.a.Post(ctx, crew, plain("het oude"), "", "oud")
				if err != nil {
					t.Fatal(err)
				}
				d.old = string(ref)
				if c.call != "" {
					method, path, _ := strings.Cut(c.call, " ")
					d.s.Fail(c.times, method, path, *c.fault)
				}
				if c.do != nil {
					c.do(d)
				}
				if c.act == "count" {
					crew = bot.TeamID("mattermost:" + d.crew)
				}
				key, start := "sleutel", time.Now()
				switch c.act {
				case "post":
					_, err = d.a.Post(ctx, crew, plain("het nieuwe"), "", key)
				case "picture":
					m := plain("het nieuwe")
					m.Blocks = append(m.Blocks, bot.Block{Kind: bot.BlockPicture, PNG: []byte("png"), Spans: []bot.Span{{Text: "een lijn"}}})
					_, err = d.a.Post(ctx, crew, m, "", key)
				case "thread":
					_, err = d.a.Post(ctx, crew, plain("het nieuwe"), "abcdefghijklmnopqrstuvwxyz", key)
				case "direct":
					err = d.a.Direct(ctx, bot.Account("mattermost", "", d.fatima), plain("het nieuwe"), key)
				case "edit":
					err = d.a.Edit(ctx, crew, ref, plain("het nieuwe"))
				case "count":
					_, err = d.a.Count(ctx, crew)
				case "find":
					_, err = d.a.Find(ctx, crew, "oud", start)
				case "find other":
					_, err = d.a.Find(ctx, crew, "nooit", start)
				}
				if got := outcome(err); got != c.want {
					t.Errorf("%s, not %s: %v", got, c.want, err)
				}
				stand := func() (n int) {
					for _, p := range append(d.s.Posts(d.crew), d.s.DMs(d.fatima)...) {
						n += strings.Count(p.Text, "het nieuwe")
					}
					return n
				}
				if n := stand(); n != c.stand {
					t.Errorf("it stands there %d times, not %d", n, c.stand)
				}
				if outcome(err) != "uncertain" || c.act != "post" {
					return
				}
				_, err = d.a.Find(ctx, crew, key, start) // what was given up still meets its fault
				if found := err == nil; found != (c.stand > 0) || !found && !errors.Is(err, bot.ErrNotFound) {
					t.Errorf("looking it up: %v", err)
				}
			})
		}
	}
}

// A server that restarted knows no keys: what is unknown then is not tried again, but looked up.
func TestErrorRestartBetweenTries(t *testing.T) {
	for _, version := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
		t.Run(version.String(), func(t *testing.T) {
			d := newDesk(t, version)
			d.start()
			defer func() { d.stop() }()
			ctx, crew := context.Background(), bot.TeamID("mattermost:"+d.crew)
			d.s.Fail(1, "POST", "/posts", mattermosttest.DoneCut())
			done := make(chan error, 1)
			start := time.Now()
			go func() {
				_, err := d.a.Post(ctx, crew, plain("eenmaal"), "", "sleutel")
				done <- err
			}()
			d.s.Await("the post", func() bool { return len(d.s.Posts(d.crew)) == 1 })
			d.s.Restart()
			if err := <-done; !errors.Is(err, bot.ErrUncertain) {
				t.Error(err)
			}
			if _, err := d.a.Find(ctx, crew, "sleutel", start); err != nil {
				t.Error(err)
			}
			if n := len(d.s.Posts(d.crew)); n != 1 {
				t.Errorf("it stands there %d times", n)
			}
		})
	}
}

// Without a connection nobody knows whether the server restarted.
func TestErrorUnknownWithoutConnection(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.s.Fail(1, "POST", "/posts", mattermosttest.DoneCut())
	if _, err := d.open().Post(context.Background(), bot.TeamID("mattermost:"+d.crew), plain("eenmaal"), "", "sleutel"); !errors.Is(err, bot.ErrUncertain) {
		t.Error(err)
	}
	if n := d.s.Count("POST /api/v4/posts"); n != 1 {
		t.Errorf("tried %d times", n)
	}
}

// How long a post may be is the server's to say; a longer one is not sent, and nothing of it is lost on the way.
func TestErrorTooLong(t *testing.T) {
	for _, version := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
		d := newDesk(t, version)
		d.s.Set(func(s *mattermosttest.Settings) { s.MaxPostSize = 100 })
		d.start()
		ctx, crew := context.Background(), bot.TeamID("mattermost:"+d.crew)
		ref, err := d.a.Post(ctx, crew, plain(strings.Repeat("ë", 100)), "", "past")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.a.Post(ctx, crew, plain(strings.Repeat("ë", 101)), "", "past niet"); outcome(err) != "failed" {
			t.Error(err)
		}
		if err := d.a.Edit(ctx, crew, ref, plain(strings.Repeat("e", 101))); outcome(err) != "failed" {
			t.Error(err)
		}
		if n := d.s.Count("POST /api/v4/posts") + d.s.Count("PUT /api/v4/posts/"+string(ref)); n != 1 {
			t.Errorf("%d calls", n)
		}
		d.s.DM(d.fatima, strings.Repeat("e", 99)) // the answer does not fit
		d.s.Advance(10 * time.Minute)
		d.s.DM(d.omar, "een")
		d.once(d.omar, "een")
		if !d.past(8*time.Minute) || !strings.Contains(d.log.String(), "had to wait") {
			t.Error("an answer that never fits holds the mark, or nobody is told")
		}
	}
}

// Of more changes than the server tells at once what stands there is found, and nothing is said to be absent.
func TestErrorFindAmongMany(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start()
	crew, start := bot.TeamID("mattermost:"+d.crew), time.Now()
	ref, err := d.a.Post(t.Context(), crew, plain("eenmaal"), "", "sleutel")
	if err != nil {
		t.Fatal(err)
	}
	d.s.Burst(d.omar, d.crew, 1100)
	if found, err := d.a.Find(t.Context(), crew, "sleutel", start); err != nil || found != ref {
		t.Errorf("%s, %v", found, err)
	}
	if _, err := d.a.Find(t.Context(), crew, "nooit", start); !errors.Is(err, bot.ErrUncertain) {
		t.Error(err)
	}
}

// However long each call hangs, the tries together are over in time: none begins late.
func TestErrorTriesAreBounded(t *testing.T) {
	d := newDesk(t, mattermosttest.V11)
	d.start(func(a *mattermost.Adapter) { a.AgainWithin(300 * time.Millisecond) })
	d.a.CallTime(250 * time.Millisecond)
	d.s.Fail(1, "POST", "/posts", mattermosttest.DoneCut())
	hung := d.s.Fail(1000, "POST", "/posts", mattermosttest.DoneHang())
	start := time.Now()
	_, err := d.a.Post(context.Background(), bot.TeamID("mattermost:"+d.crew), plain("eenmaal"), "", "sleutel")
	if took := time.Since(start); !errors.Is(err, bot.ErrUncertain) || took > 2*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
	if n := hung(); n == 0 || n > 2 {
		t.Errorf("%d tries hung", n)
	}
	if n := len(d.s.Posts(d.crew)); n != 1 {
		t.Errorf("it stands there %d times", n)
	}
}

// The real bounds leave the server the same time again, before anything is looked up.
func TestErrorTriesSettle(t *testing.T) {
	if most := mattermost.AllTries(); most > 25*time.Second || 2*most > bot.SettleWindow {
		t.Errorf("a post is tried for %s", most)
	}
}
