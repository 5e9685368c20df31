package mattermosttest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// event is something to tell by socket: to one user, the members of a channel, or those of a team.
type event struct {
	name                string
	user, channel, team string
	data                map[string]any
	mentions            map[string]bool // whose copy says that they are mentioned
}

const keptEvents = 128

// socket is one connection by websocket. It outlives its connection: a client may resume it.
type socket struct {
	id, user, token string
	conn            *websocket.Conn // nil: gone
	seq             int64
	queue           []frame
	kept            []frame
	wake            chan struct{}
}

type frame struct {
	seq   int64
	bytes []byte
}

// publish queues an event for all who may hear it, and writes it down.
func (s *Server) publish(e event) {
	s.note(Entry{Kind: KindEvent, Name: e.name, User: e.user, Body: text(e.data)})
	if s.losing > 0 {
		s.losing--
		return
	}
	for _, k := range s.sockets {
		if s.hears(k, e) {
			k.add(s.encode(k, e))
		}
	}
}

func (s *Server) hears(k *socket, e event) bool {
	if k.user == "" || s.account(k.token) == nil {
		return false
	}
	switch {
	case e.user != "":
		return e.user == k.user
	case e.channel != "":
		return s.channels[e.channel].members[k.user] != nil
	}
	return s.teams[e.team] != nil && s.teams[e.team].members[k.user] != nil
}

// encode is the event as k hears it; it takes the next number.
func (s *Server) encode(k *socket, e event) frame {
	data := e.data
	if e.mentions[k.user] {
		data = copied(data)
		data["mentions"] = quoted([]string{k.user})
	}
	f := frame{seq: k.seq}
	f.bytes = []byte(text(map[string]any{
		"event": e.name, "data": data, "seq": k.seq, "broadcast": map[string]any{
			"omit_users": nil, "user_id": e.user, "channel_id": e.channel, "team_id": e.team, "connection_id": "", "omit_connection_id": "",
		},
	}))
	k.seq++
	return f
}

// add queues a frame and keeps it for a client that resumes.
func (k *socket) add(f frame) {
	k.kept = append(k.kept, f)
	if len(k.kept) > keptEvents {
		k.kept = k.kept[len(k.kept)-keptEvents:]
	}
	k.send(f)
}

func (k *socket) send(f frame) {
	if k.conn == nil {
		return
	}
	k.queue = append(k.queue, f)
	k.rouse()
}

// upgrade takes a socket. A token in the header serves it at once, else it must come as the first message; a wrong one is only
// noticed then.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.wg.Done()
	in, f, ok := s.arrive(r, nil)
	status := f.Status
	switch {
	case !ok || f.Cut || f.Hang || f.Half:
		status = 0
	case status == 0:
		status = http.StatusSwitchingProtocols
	}
	s.mu.Lock()
	s.note(Entry{Kind: KindRequest, Name: "GET /api/v4/websocket", User: in.User, Status: status})
	s.mu.Unlock()
	if f.Hang {
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
	}
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	if f.Status > 0 {
		w.Header().Set("Content-Type", f.Type)
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body))
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	k := &socket{conn: conn, wake: make(chan struct{}, 1)}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		_ = conn.Close()
		return
	}
	if in.User != "" {
		k = s.resume(k, in.User, bearer(r), r.URL.Query().Get("connection_id"), r.URL.Query().Get("sequence_number"))
	} else {
		s.sockets = append(s.sockets, k)
	}
	pong, ping := s.settings.PongWait, s.settings.PingEvery
	s.mu.Unlock()
	s.wg.Go(func() { s.writer(k, conn, ping) })
	s.reader(k, conn, pong)
	s.mu.Lock()
	if k.conn == conn {
		k.conn, k.queue = nil, nil
	}
	s.touch()
	s.mu.Unlock()
	_ = conn.Close()
	k.rouse()
}

// resume finds the socket that a client had, and what it missed; else it serves a new one.
func (s *Server) resume(fresh *socket, user, token, id, sequence string) *socket {
	next, err := strconv.ParseInt(sequence, 10, 64)
	for _, k := range s.sockets {
		if id == "" || k.id != id || k.user != user || k.conn != nil || err != nil {
			continue
		}
		missed := -1
		for i, f := range k.kept {
			if f.seq == next {
				missed = i
			}
		}
		if missed < 0 && next != k.seq {
			break // lost
		}
		k.conn, k.token = fresh.conn, token
		if missed >= 0 {
			for _, f := range k.kept[missed:] {
				k.send(f)
			}
		}
		return k
	}
	s.sockets = append(s.sockets, fresh)
	s.welcome(fresh, user, token)
	return fresh
}

// welcome says hello to a socket whose user is known.
func (s *Server) welcome(k *socket, user, token string) {
	k.id, k.user, k.token, k.seq = newID(), user, token, 0
	k.add(s.encode(k, event{name: "hello", user: user, data: map[string]any{"server_version": s.serverVersion(), "connection_id": k.id}}))
	s.touch()
}

// reader handles what a client says, until the connection ends.
func (s *Server) reader(k *socket, conn *websocket.Conn, pong time.Duration) {
	conn.SetReadLimit(8 << 10)
	s.mu.Lock()
	silence := s.settings.AuthWait
	if k.user != "" {
		silence = pong
	}
	s.mu.Unlock()
	_ = conn.SetReadDeadline(time.Now().Add(silence))
	conn.SetPongHandler(func(string) error { return conn.SetReadDeadline(time.Now().Add(pong)) })
	for {
		_, b, err := conn.ReadMessage()
		if err != nil || !s.pass() {
			return
		}
		var in struct {
			Seq    int64          `json:"seq"`
			Action string         `json:"action"`
			Data   map[string]any `json:"data"`
		}
		if json.Unmarshal(b, &in) != nil {
			return
		}
		s.mu.Lock()
		if in.Action == "authentication_challenge" {
			if k.user == "" {
				token := str(in.Data["token"])
				u := s.account(token)
				if u == nil {
					s.mu.Unlock()
					return // without a word
				}
				s.welcome(k, u.id, token)
				_ = conn.SetReadDeadline(time.Now().Add(pong))
			}
		}
		k.send(frame{bytes: []byte(text(map[string]any{"status": "OK", "seq_reply": in.Seq}))})
		s.mu.Unlock()
	}
}

// writer sends what is queued, and pings.
func (s *Server) writer(k *socket, conn *websocket.Conn, every time.Duration) {
	var tick <-chan time.Time
	if every > 0 {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		ping := false
		select {
		case <-s.done:
			return
		case <-tick:
			ping = true
		case <-k.wake:
		}
		if !s.pass() {
			return
		}
		s.mu.Lock()
		if k.conn != conn {
			s.mu.Unlock()
			k.rouse() // the wake may have been for the next connection
			return
		}
		queue := k.queue
		k.queue = nil
		s.mu.Unlock()
		_ = conn.SetWriteDeadline(time.Now().Add(30 * time.Second))
		if ping && conn.WriteMessage(websocket.PingMessage, nil) != nil {
			_ = conn.Close()
		}
		for _, f := range queue {
			if conn.WriteMessage(websocket.TextMessage, f.bytes) != nil {
				_ = conn.Close()
				break
			}
		}
	}
}

func (k *socket) rouse() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// CutSockets ends all sockets, without a goodbye (1006).
func (s *Server) CutSockets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		if k.conn != nil {
			_ = k.conn.NetConn().Close()
			k.conn, k.queue = nil, nil
			k.rouse()
		}
	}
	s.touch()
}

// Sockets is how many sockets of a user are served now.
func (s *Server) Sockets(user string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, k := range s.sockets {
		if k.user == user && k.conn != nil {
			n++
		}
	}
	return n
}

// Garbage sends text that is no event to the sockets of a user.
func (s *Server) Garbage(user, text string) {
	s.each(user, func(k *socket) { k.send(frame{bytes: []byte(text)}) })
}

// Emit sends any event to the sockets of a user.
func (s *Server) Emit(user, name string, data map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.publish(event{name: name, user: user, data: data})
}

// Skip loses the numbers of n events for the sockets of a user.
func (s *Server) Skip(user string, n int) { s.each(user, func(k *socket) { k.seq += int64(n) }) }

// Lose keeps the next n events from everybody, without a gap in the numbers.
func (s *Server) Lose(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.losing = n
}

// Repeat sends the last event again to the sockets of a user: with a new number, or as it was.
func (s *Server) Repeat(user string, renumbered bool) {
	s.each(user, func(k *socket) {
		last := k.kept[len(k.kept)-1]
		if !renumbered {
			k.send(last)
			return
		}
		var j map[string]any
		_ = json.Unmarshal(last.bytes, &j)
		j["seq"] = k.seq
		k.add(frame{seq: k.seq, bytes: []byte(text(j))})
		k.seq++
	})
}

func (s *Server) each(user string, f func(*socket)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		if k.user == user && k.conn != nil {
			f(k)
		}
	}
}
