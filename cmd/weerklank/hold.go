package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/store"
)

// operatorActor is whom the audit log names for what is done on the command line.
const operatorActor = bot.ActorID("operator:console")

// holds serves holding a round's replies beyond retention, and listing what is still there.
func (p *parts) holds(mux *http.ServeMux) {
	mux.HandleFunc("GET /kept", func(w http.ResponseWriter, r *http.Request) {
		kept, err := bot.KeptRounds(r.Context(), p.db)
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		json.NewEncoder(w).Encode(kept)
	})
	mux.HandleFunc("POST /hold", func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.FormValue("round"))
		if err == nil {
			err = bot.Hold(r.Context(), p.db, bot.TeamID(r.FormValue("team")), number, r.FormValue("end") == "", operatorActor, time.Now())
		}
		switch {
		case errors.Is(err, bot.ErrNotFound):
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		case err != nil:
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		p.bot.Look()
	})
}

// cmdHold is `weerklank hold`: with a team and a round it keeps that round's replies beyond retention, or ends that with
// --end; without, it lists the rounds whose replies are still there.
func cmdHold(ctx context.Context, e *env, args []string) error {
	var team string
	var round int
	var end bool
	c, rest, err := storeFlags(e, "hold", args, func(fs *flag.FlagSet) {
		fs.StringVar(&team, "team", "", "")
		fs.IntVar(&round, "round", 0, "")
		fs.BoolVar(&end, "end", false, "")
	})
	if err != nil {
		return err
	}
	switch {
	case len(rest) > 0:
		return usageError{e.say("cli.too-many")}
	case (team == "") != (round == 0) || end && team == "":
		return usageError{e.say("cli.hold-which")}
	case team == "":
		return listKept(ctx, e, c)
	}
	form := url.Values{"team": {team}, "round": {strconv.Itoa(round)}}
	if end {
		form.Set("end", "yes")
	}
	err = onStore(ctx, e, c, func() error {
		_, err := call(ctx, c, http.MethodPost, "/hold?"+form.Encode(), nil)
		return err
	}, func(db *store.DB) error {
		return bot.Hold(ctx, db, bot.TeamID(team), round, !end, operatorActor, time.Now())
	})
	var said refused
	if errors.Is(err, bot.ErrNotFound) || errors.As(err, &said) && said.text == bot.ErrNotFound.Error() {
		return hinted{fmt.Errorf("%s, round %d: nothing of it is kept", team, round), e.say("cli.hold-list")}
	}
	if err != nil {
		return err
	}
	key := "cli.hold-on"
	if end {
		key = "cli.hold-off"
	}
	fmt.Fprintln(e.stdout, e.say(key))
	return nil
}

func listKept(ctx context.Context, e *env, c config) error {
	var kept []bot.Kept
	err := onStore(ctx, e, c, func() error {
		raw, err := call(ctx, c, http.MethodGet, "/kept", nil)
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, &kept)
	}, func(db *store.DB) (err error) {
		kept, err = bot.KeptRounds(ctx, db)
		return err
	})
	if err != nil {
		return err
	}
	if len(kept) == 0 {
		fmt.Fprintln(e.stdout, e.say("cli.hold-none"))
	}
	for _, k := range kept {
		key := "cli.hold-row"
		if k.Held {
			key = "cli.hold-row-held"
		}
		fmt.Fprintln(e.stdout, e.say(key, "team", string(k.Team), "round", strconv.Itoa(k.Number), "title", k.Title,
			"closed", locale.Day(e.lang, k.Closed.In(c.zone())), "until", locale.Day(e.lang, k.Until.In(c.zone()))))
	}
	return nil
}
