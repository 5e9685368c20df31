package bot_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
)

// sealedSize is what one ballot takes in the store; the baseline writes the same bytes.
const sealedSize = 5148

// openWorld is a world with one open round and n members; more teams open theirs at the same moment.
func openWorld(b testing.TB, n int, more ...bot.TeamID) (*world, bot.Round) {
	w := newWorld(b, nil)
	w.fake.Crew(crew, n)
	w.switchOn(crew, nil)
	for _, other := range more {
		w.fake.Crew(other, n)
		w.switchOn(other, nil)
	}
	team, err := w.db.Team(context.Background(), crew)
	if err != nil {
		b.Fatal(err)
	}
	w.until(team.NextOpens)
	if _, err := w.bot.Step(context.Background(), team.NextOpens); err != nil {
		b.Fatal(err)
	}
	if _, err := w.bot.Send(context.Background(), team.NextOpens); err != nil {
		b.Fatal(err)
	}
	return w, w.openRound(crew)
}

// parallel runs do n times over the given number of writers and reports percentiles of how long each took.
func parallel(b *testing.B, writers int, do func(i int)) {
	var next atomic.Int64
	took := make([][]time.Duration, writers)
	var wg sync.WaitGroup
	b.ResetTimer()
	for k := range writers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= b.N {
					return
				}
				start := time.Now()
				do(i)
				took[k] = append(took[k], time.Since(start))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "replies/s")
}

// BenchmarkReply is the whole path of a reply sent in by form (who may, address, version, seal, write) beside bare
// bbolt writing the same bytes in the same run: one writer with Update, 64 writers with Batch.
func BenchmarkReply(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("bare-%d", writers), func(b *testing.B) {
			db, err := bolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, &bolt.Options{FreelistType: bolt.FreelistMapType, InitialMmapSize: 256 << 20})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			db.MaxBatchSize, db.MaxBatchDelay = 64, 2*time.Millisecond
			if err := db.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("b")); return err }); err != nil {
				b.Fatal(err)
			}
			value := make([]byte, sealedSize)
			run := db.Batch
			if writers == 1 {
				run = db.Update
			}
			parallel(b, writers, func(i int) {
				key := sha256.Sum256([]byte{byte(i % 2000), byte(i % 2000 >> 8)}) // as scattered as addresses are
				if err := run(func(tx *bolt.Tx) error { return tx.Bucket([]byte("b")).Put(key[:], value) }); err != nil {
					b.Error(err)
				}
			})
		})
		b.Run(fmt.Sprintf("weerklank-%d", writers), func(b *testing.B) {
			w, r := openWorld(b, 2000)
			defer w.close()
			parallel(b, writers, func(i int) { sendForm(b, w, r, i%2000+1, "een antwoord van gewone lengte, zoals mensen dat typen") })
		})
	}
}

func sendForm(b testing.TB, w *world, r bot.Round, person int, text string) {
	resp, err := w.fake.Send(context.Background(), bot.FormSubmitted{
		From: w.fake.From("p"+strconv.Itoa(person), crew), Form: "reply", State: string(r.ID),
		Values: map[string][]string{"text": {text}, "share": {"share"}, "tags": {"quality-speed"}},
	})
	if err != nil || len(resp.Errors) > 0 {
		b.Error(err, resp.Errors)
	}
}

// BenchmarkStored is the same with many released replies in the store already.
func BenchmarkStored(b *testing.B) {
	sizes := []int{1_000, 100_000}
	if os.Getenv("WEERKLANK_BENCH_MILLION") != "" {
		sizes = append(sizes, 1_000_000)
	}
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			w, r := openWorld(b, 2000)
			defer w.close()
			fill(b, w, n)
			parallel(b, 64, func(i int) { sendForm(b, w, r, i%2000+1, "een antwoord van gewone lengte, zoals mensen dat typen") })
		})
	}
}

// BenchmarkSeason shows the overview of a team's season with its picture, in a store with 100,000 released replies (at most 50 ms),
// and in a small one: it grows with the team and not with the store.
func BenchmarkSeason(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			w, _ := openWorld(b, 20)
			defer w.close()
			fill(b, w, n)
			past(w, slices.Repeat([]string{"werkdruk rooster parkeren"}, 24)...)
			b.ResetTimer()
			for b.Loop() {
				if r, err := w.fake.Command(context.Background(), "p2", crew, "seizoen"); err != nil || !slices.ContainsFunc(r.Message.Blocks, func(x bot.Block) bool { return x.Kind == bot.BlockPicture }) {
					b.Fatal(err, plain(r))
				}
			}
		})
	}
}

// BenchmarkGiveBack closes a round of six replies and gives it back, in a small store and in a large one.
func BenchmarkGiveBack(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			w, r := openWorld(b, 20)
			defer w.close()
			fill(b, w, n)
			b.ResetTimer()
			for b.Loop() {
				b.StopTimer()
				for i := range 6 {
					sendForm(b, w, r, i+1, "een antwoord van gewone lengte, zoals mensen dat typen")
				}
				b.StartTimer()
				w.finish(r)
				b.StopTimer()
				w.editTeam(func(t *bot.Team) { t.State, t.SeasonRounds, t.Vote = bot.TeamOn, 0, "" })
				if err := w.bot.Advance(context.Background(), crew, w.fake.Now()); err != nil {
					b.Fatal(err)
				}
				r = w.openRound(crew)
				b.StartTimer()
			}
		})
	}
}

// fill puts n released replies of ordinary size on the shelves of past rounds.
func fill(b testing.TB, w *world, n int) {
	ctx := context.Background()
	due := time.Date(2020, 1, 7, 9, 0, 0, 0, time.UTC)
	other := bot.TeamID("fake:others") // not the one that is looked at
	if err := w.db.UpdateTeam(ctx, other, func(t *bot.Team) (bot.Also, error) { t.State = bot.TeamOff; return bot.Also{}, nil }); err != nil {
		b.Fatal(err)
	}
	for done := 0; done < n; {
		id := bot.RoundID("past" + strconv.Itoa(done))
		past := bot.Round{ID: id, Team: other, Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: due, Closes: due}
		if err := w.db.PlanRound(ctx, past, func(*bot.Team) (bot.Also, error) { return bot.Also{}, nil }); err != nil {
			b.Fatal(err)
		}
		var replies []bot.SealedReply
		for range min(5000, n-done) {
			done++
			replies = append(replies, bot.SealedReply{ID: bot.ReplyID(fmt.Sprintf("%x", done*2654435761)), Receipt: [32]byte{1, byte(done), byte(done >> 8), byte(done >> 16), byte(done >> 24)}, Sealed: make([]byte, 284)})
		}
		err := w.db.Release(ctx, id, replies, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
			r.State = bot.RoundTooFew
			return bot.Also{}, nil
		})
		if err != nil {
			b.Fatal(err)
		}
		due = due.AddDate(0, 0, 7)
	}
}

// BenchmarkPlan opens rounds for ten thousand teams that are due at one minute, beside the file system's own price of the
// ten thousand key slots alone: as many files created in one directory and synced once.
func BenchmarkPlan(b *testing.B) {
	b.Run("files", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			root, err := os.OpenRoot(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			block := make([]byte, 4096)
			for i := range 10_000 {
				f, err := root.OpenFile(strconv.Itoa(i), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := f.WriteAt(block, 0); err != nil {
					b.Fatal(err)
				}
				if i == 9_999 {
					if err := f.Sync(); err != nil {
						b.Fatal(err)
					}
				}
				f.Close()
			}
			b.StopTimer()
			root.Close()
			b.StartTimer()
		}
	})
	b.Run("weerklank", plan)
}

func plan(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b, nil)
		due := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
		var wg sync.WaitGroup
		slots := make(chan struct{}, 64)
		for i := range 10_000 {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				id := bot.TeamID(fmt.Sprintf("fake:t%05d", i))
				err := w.db.UpdateTeam(context.Background(), id, func(t *bot.Team) (bot.Also, error) {
					t.Name, t.State, t.Settings, t.Since, t.NextDue, t.NextOpens = "t", bot.TeamOn, defaults(), due.AddDate(0, 0, -1), due, due
					return bot.Also{}, nil
				})
				if err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		w.fake.Add(crowd(10_000)...)
		b.StartTimer()
		if _, err := w.bot.Step(context.Background(), due); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		posts, _, err := w.db.Pending(context.Background(), due, 20_000)
		if err != nil || len(posts) != 10_000 {
			b.Fatalf("%d posts queued, %v", len(posts), err)
		}
		w.close()
		b.StartTimer()
	}
}

// crowd is six people who are in every channel.
func crowd(teams int) []chattest.Person {
	var channels []bot.TeamID
	for i := range teams {
		channels = append(channels, bot.TeamID(fmt.Sprintf("fake:t%05d", i)))
	}
	var out []chattest.Person
	for i := range 6 {
		out = append(out, chattest.Person{ID: "c" + strconv.Itoa(i), Channels: channels})
	}
	return out
}
