package mattermost_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
	"github.com/weerklank/weerklank/prompts"
)

// BenchmarkDirectMessage is the way of a direct message to its answer, on the same server and the same client library: a
// bare echo bot, the bot's help, and a reply that is kept with the question what may be done with it.
func BenchmarkDirectMessage(b *testing.B) {
	b.Run("echo", func(b *testing.B) {
		s := mattermosttest.New(b, mattermosttest.V11)
		me, token := s.AddBot("echo")
		who := s.AddUser(mattermosttest.User{Name: "mens"})
		s.AddTeam("gemeente", me, who)
		rest := model.NewAPIv4Client(s.URL())
		rest.SetToken(token)
		socket, err := model.NewWebSocketClient("ws"+s.URL()[len("http"):], token)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { socket.Conn.Close() })
		socket.Listen()
		go func() {
			for e := range socket.EventChannel {
				raw, _ := e.GetData()["post"].(string)
				var p model.Post
				if e.EventType() != model.WebsocketEventPosted || json.Unmarshal([]byte(raw), &p) != nil || p.UserId == me {
					continue
				}
				rest.CreatePost(b.Context(), &model.Post{ChannelId: p.ChannelId, Message: p.Message})
			}
		}()
		s.Await("the echo bot", func() bool { return s.Sockets(me) > 0 })
		waits(b, s, me, who, func(int) string { return "hallo" })
	})
	for name, words := range map[string]func(int) string{
		"help":  func(int) string { return "help" },
		"reply": func(int) string { return "Ik kijk eerst wie er staat, en dan pas naar de regel." },
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, mattermosttest.V11, prompts.Dutch, false)
			defer func() { w.stop() }()
			w.chat.Unpaced()
			w.switchOn()
			w.opens()
			b.ResetTimer()
			waits(b, w.s, w.me, w.people[0], words)
		})
	}
}

// waits types b.N messages, one after the other, and reports how long their writer waited for the answers.
func waits(b *testing.B, s *mattermosttest.Server, me, who string, words func(int) string) {
	var took []time.Duration
	for i := range b.N {
		start := time.Now()
		s.DM(who, words(i))
		s.Await("an answer", func() bool {
			all := s.DMs(who)
			return len(all) > 0 && all[len(all)-1].User == me
		})
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
