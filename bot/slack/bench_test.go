package slack_test

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"slices"
	"testing"
	"time"

	api "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/weerklank/weerklank/bot/slack/slacktest"
	"github.com/weerklank/weerklank/prompts"
)

// BenchmarkDirectMessage is the way of a direct message to its answer, on the same workspace for tests and the same client library: a
// bare echo bot, the bot's help, and a reply that is kept with the question what may be done with it.
func BenchmarkDirectMessage(b *testing.B) {
	b.Run("echo", func(b *testing.B) {
		s := slacktest.Start(b, slacktest.Options{})
		who := s.AddUser(slacktest.User{Name: "mens"})
		quiet := log.New(io.Discard, "", 0)
		rest := api.New(s.BotToken(), api.OptionAppLevelToken(s.AppToken()), api.OptionAPIURL(s.URL()), api.OptionLog(quiet))
		client := socketmode.New(rest, socketmode.OptionLog(quiet))
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan struct{})
		go func() { client.RunContext(ctx); close(ended) }()
		b.Cleanup(func() { cancel(); <-ended })
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case e := <-client.Events:
					if e.Type != socketmode.EventTypeEventsAPI || e.Request == nil {
						continue
					}
					client.Ack(*e.Request)
					var p struct {
						Event struct {
							Type, Channel, Text string
							Bot                 string `json:"bot_id"`
						}
					}
					if json.Unmarshal(e.Request.Payload, &p) == nil && p.Event.Type == "message" && p.Event.Bot == "" {
						rest.PostMessageContext(ctx, p.Event.Channel, api.MsgOptionText(p.Event.Text, false))
					}
				}
			}
		}()
		s.Await("the echo bot", func() bool { return len(s.Sockets()) > 0 })
		waits(b, s, who, "hallo")
	})
	for name, words := range map[string]string{"help": "help", "reply": "Ik kijk eerst wie er staat, en dan pas naar de regel."} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, prompts.Dutch, false, func(w *world) { w.unpaced = true })
			defer func() { w.stop() }()
			w.switchOn()
			w.opens()
			b.ResetTimer()
			waits(b, w.s, w.people[0], words)
		})
	}
}

// waits types b.N messages, one after the other, and reports how long their writer waited for the answers.
func waits(b *testing.B, s *slacktest.Server, who, words string) {
	var took []time.Duration
	for range b.N {
		start := time.Now()
		s.TypeDirect(who, words)
		s.Await("an answer", func() bool {
			all := s.DM(who)
			return len(all) > 0 && all[len(all)-1].Bot
		})
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
