package slacktest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

const ackCap = 20 << 10 // of an answer by socket: what is as large or larger is not heard

// Socket is one connection of Socket Mode.
type Socket struct {
	N int // counts them from 1

	s     *Server
	conn  net.Conn
	in    *bufio.Reader
	queue [][]byte
	wake  chan struct{}

	ready  bool          // gets envelopes
	gone   bool          // closed by either side
	leave  bool          // closes when the queue is written
	quiet  bool          // sends no pings
	frozen chan struct{} // not nil: reads and writes nothing, until it is closed
	deaf   chan struct{} // not nil: reads nothing, until it is closed
}

// openConnection gives the address of a socket.
func openConnection(s *Server, _ *call) (obj, *fail) {
	s.opens++
	ticket := random(8) + "-" + random(24)
	s.tickets[ticket] = s.clock().Add(s.settings.TicketLife)
	return obj{"url": "ws://" + s.addr + "/link/?ticket=" + ticket + "&app_id=" + s.app}, nil
}

// Opens is how often a socket's address was given.
func (s *Server) Opens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opens
}

// upgrade takes a socket.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.wg.Done()
	ticket := r.URL.Query().Get("ticket")
	s.mu.Lock()
	until, ok := s.tickets[ticket]
	delete(s.tickets, ticket)
	ok = ok && s.clock().Before(until)
	s.mu.Unlock()
	f := s.faultFor(Request{Method: "link"})
	s.rest(f.Delay)
	status := http.StatusSwitchingProtocols
	if !ok {
		status = http.StatusForbidden
	}
	if f.Status > 0 {
		status = f.Status
	}
	s.mu.Lock()
	s.note(Entry{Kind: KindRequest, Name: "link", Status: status})
	if r.URL.Query().Get("debug_reconnects") != "" {
		s.problem("a socket is asked for with debug_reconnects")
	}
	s.mu.Unlock()
	switch {
	case f.Cut || f.Half:
		panic(http.ErrAbortHandler)
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		panic(http.ErrAbortHandler)
	case status != http.StatusSwitchingProtocols:
		w.WriteHeader(status)
		_, _ = w.Write([]byte(f.Body))
		return
	}
	conn, in, err := handshake(w, r)
	if err != nil {
		return
	}
	k := &Socket{s: s, conn: conn, in: in, wake: make(chan struct{}, 1)}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		_ = conn.Close()
		return
	}
	open := len(s.alive()) + s.settings.Ghosts
	s.hellos++
	k.N = s.hellos
	s.sockets = append(s.sockets, k)
	var then func(int, *Socket)
	switch {
	case open >= s.settings.MaxSockets:
		k.send(s.disconnect("too_many_websockets"))
		k.leave = true
	case !s.settings.NoHello:
		k.ready = true
		k.send(text(obj{
			"type": "hello", "num_connections": open + 1, "connection_info": obj{"app_id": s.app},
			"debug_info": obj{"host": "applink-1", "started": s.said().UTC().Format("2006-01-02 15:04:05.000"), "build_number": 131, "approximate_connection_time": s.settings.Lifetime},
		}))
		then = s.settings.OnHello
	}
	n := k.N
	s.touch()
	s.mu.Unlock()
	if then != nil {
		then(n, k)
	}
	s.wg.Go(func() { s.writer(k) })
	s.ping(k)
	s.reader(k)
	s.mu.Lock()
	k.drop()
	s.touch()
	s.mu.Unlock()
}

// alive is the sockets that are open, as far as the server knows.
func (s *Server) alive() []*Socket {
	return slices.DeleteFunc(slices.Clone(s.sockets), func(k *Socket) bool { return k.gone || k.leave })
}

func (s *Server) disconnect(reason string) string {
	return text(obj{"type": "disconnect", "reason": reason, "debug_info": obj{"host": "applink-1"}})
}

// ping pings every so often, until the end.
func (s *Server) ping(k *Socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pingLater(k)
}

func (s *Server) pingLater(k *Socket) {
	every := s.settings.PingEvery
	if k.gone || every <= 0 {
		return
	}
	s.after(every, false, func() {
		if !k.quiet && !k.gone {
			k.raw(frame(opPing, true, []byte("Ping from applink-1")))
		}
		s.pingLater(k)
	})
}

// reader handles what a client says, until the connection ends.
func (s *Server) reader(k *Socket) {
	var whole []byte
	for {
		if !k.pass(true) {
			return
		}
		op, fin, b, err := readFrame(k.in)
		if err != nil || !k.pass(true) {
			return
		}
		switch op {
		case opClose:
			s.mu.Lock()
			k.raw(frame(opClose, true, b))
			k.leave = true
			k.rouse()
			s.mu.Unlock()
			return
		case opPing:
			s.mu.Lock()
			k.raw(frame(opPong, true, b))
			s.mu.Unlock()
		case opPong:
			s.mu.Lock()
			s.note(Entry{Kind: KindPong, Socket: k.N})
			s.mu.Unlock()
		default:
			whole = append(whole, b...)
			if fin {
				s.mu.Lock()
				s.ack(k, whole)
				s.mu.Unlock()
				whole = nil
			}
		}
	}
}

// writer sends what is queued.
func (s *Server) writer(k *Socket) {
	for {
		select {
		case <-s.done:
			return
		case <-k.wake:
		}
		if !k.pass(false) {
			return
		}
		s.mu.Lock()
		queue, leave, gone := k.queue, k.leave, k.gone
		k.queue = nil
		s.mu.Unlock()
		if gone {
			return
		}
		_ = k.conn.SetWriteDeadline(time.Now().Add(30 * time.Second))
		for _, b := range queue {
			if _, err := k.conn.Write(b); err != nil {
				leave = true
				break
			}
		}
		if leave {
			s.mu.Lock()
			k.drop()
			s.touch()
			s.mu.Unlock()
			return
		}
	}
}

// pass waits while the socket is frozen, or while it does not read; false: it is over.
func (k *Socket) pass(reads bool) bool {
	for {
		k.s.mu.Lock()
		gate, gone := k.frozen, k.gone
		if gate == nil && reads {
			gate = k.deaf
		}
		k.s.mu.Unlock()
		if gone {
			return false
		}
		if gate == nil {
			return true
		}
		select {
		case <-gate:
		case <-k.s.done:
			return false
		}
	}
}

func (k *Socket) send(words string) { k.raw(frame(opText, true, []byte(words))) }

func (k *Socket) raw(b []byte) {
	if !k.gone {
		k.queue = append(k.queue, b)
		k.rouse()
	}
}

func (k *Socket) rouse() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *Socket) drop() {
	if k.gone {
		return
	}
	k.gone, k.ready = true, false
	for _, gate := range []*chan struct{}{&k.frozen, &k.deaf} {
		if *gate != nil {
			close(*gate)
			*gate = nil
		}
	}
	_ = k.conn.Close()
	k.rouse()
}

func (k *Socket) lock() func() {
	k.s.mu.Lock()
	return func() {
		k.s.touch()
		k.s.mu.Unlock()
	}
}

// Sockets is every socket that is open, the oldest first.
func (s *Server) Sockets() []*Socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.alive()
}

// Connections is how many sockets were ever opened.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hellos
}

// Open says whether the socket is open.
func (k *Socket) Open() bool {
	defer k.lock()()
	return !k.gone && !k.leave
}

// Drop ends the connection without a word.
func (k *Socket) Drop() {
	defer k.lock()()
	k.drop()
}

// Warn says that the socket will be disconnected ("warning"), and goes on with it.
func (k *Socket) Warn() {
	defer k.lock()()
	k.send(k.s.disconnect("warning"))
}

// Disconnect says disconnect with that reason (refresh_requested, warning, link_disabled, too_many_websockets), sends no more
// envelopes there and ends the connection; linger: only after so long, by the clock of Advance.
func (k *Socket) Disconnect(reason string, linger time.Duration) {
	defer k.lock()()
	k.send(k.s.disconnect(reason))
	k.ready = false
	if linger > 0 {
		k.s.after(linger, false, k.drop)
		return
	}
	k.leave = true
	k.rouse()
}

// Close ends the connection as websockets do, with a code.
func (k *Socket) Close(code uint16, reason string) {
	defer k.lock()()
	k.raw(frame(opClose, true, append(binary.BigEndian.AppendUint16(nil, code), reason...)))
	k.ready, k.leave = false, true
}

// Freeze makes the connection half-open: nothing is read or written, pings neither, and envelopes go there and are lost.
func (k *Socket) Freeze() {
	defer k.lock()()
	if k.frozen == nil && !k.gone {
		k.frozen = make(chan struct{})
	}
}

// Thaw ends Freeze.
func (k *Socket) Thaw() {
	defer k.lock()()
	if k.frozen != nil {
		close(k.frozen)
		k.frozen = nil
	}
}

// Deafen stops reading from the connection; it goes on writing.
func (k *Socket) Deafen() {
	defer k.lock()()
	if k.deaf == nil && !k.gone {
		k.deaf = make(chan struct{})
	}
}

// Hear ends Deafen.
func (k *Socket) Hear() {
	defer k.lock()()
	if k.deaf != nil {
		close(k.deaf)
		k.deaf = nil
	}
}

// Pings starts or stops the pings.
func (k *Socket) Pings(on bool) {
	defer k.lock()()
	k.quiet = !on
}

// Text sends a text frame with anything in it.
func (k *Socket) Text(words string) {
	defer k.lock()()
	k.send(words)
}

// Binary sends a binary frame.
func (k *Socket) Binary(b []byte) {
	defer k.lock()()
	k.raw(frame(opBinary, true, b))
}

// Fragments sends a text in several frames.
func (k *Socket) Fragments(parts ...string) {
	defer k.lock()()
	for i, p := range parts {
		op := byte(0)
		if i == 0 {
			op = opText
		}
		k.raw(frame(op, i == len(parts)-1, []byte(p)))
	}
}

// Bytes sends bytes that need not be a frame.
func (k *Socket) Bytes(b []byte) {
	defer k.lock()()
	k.raw(b)
}

// CutFrame announces a frame, sends half of it and ends the connection.
func (k *Socket) CutFrame(words string) {
	defer k.lock()()
	b := frame(opText, true, []byte(words))
	k.raw(b[:len(b)-len(words)/2-1])
	k.ready, k.leave = false, true
}

// Garbage is every kind of text that is no envelope: empty, cut off, not JSON, JSON that is no object, odd types of fields and
// unknown envelopes. The largest is below a mebibyte.
func Garbage() []string {
	return []string{
		"", " ", "\n", "{", `{"type":"events_api","envelope_id":"cut","payl`, "hello", "null", "[]", `"text"`, "42", "true", `{}`, "\x00\xff\xfe",
		`{"type":null}`, `{"type":42}`, `{"type":["hello"]}`, `{"type":""}`, `{"type":"hello","num_connections":"many"}`,
		`{"type":"hello","debug_info":[]}`, `{"type":"pong_or_other","envelope_id":"e-unknown"}`, `{"type":"events_api"}`,
		`{"type":"events_api","envelope_id":"","payload":null}`, `{"type":"events_api","envelope_id":7,"payload":{}}`,
		`{"type":"events_api","envelope_id":"e-null","payload":null}`, `{"type":"events_api","envelope_id":"e-list","payload":[1,2]}`,
		`{"type":"events_api","envelope_id":"e-text","payload":"text"}`, `{"type":"events_api","envelope_id":"e-odd","payload":{"event":7}}`,
		`{"type":"events_api","envelope_id":"e-retry","retry_attempt":"one","payload":{"type":"event_callback","event":{"type":"message"}}}`,
		`{"type":"interactive","envelope_id":"e-i0","payload":{}}`, `{"type":"interactive","envelope_id":"e-i1","payload":{"type":"block_actions","actions":{}}}`,
		`{"type":"interactive","envelope_id":"e-i2","payload":{"type":"view_submission","view":[],"user":"U1"}}`,
		`{"type":"slash_commands","envelope_id":"e-c0","payload":[]}`, `{"type":"slash_commands","envelope_id":"e-c1","payload":{"is_enterprise_install":{}}}`,
		`{"type":"events_api","envelope_id":"e-deep","payload":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
		`{"type":"events_api","envelope_id":"e-long","payload":{"type":"` + strings.Repeat("x", 500<<10) + `"}}`,
	}
}

// Huge is a text of two mebibytes that looks like an envelope.
func Huge() string {
	return `{"type":"events_api","envelope_id":"e-huge","payload":{"type":"` + strings.Repeat("x", 2<<20) + `"}}`
}

// delivery is something that the bot has to acknowledge.
type delivery struct {
	kind     string // of the envelope
	name     string // of the event or interaction
	payload  string
	form     string // of the HTTP request; empty: JSON
	url      func(*Target) string
	accepts  bool // an answer may have a payload
	once     bool // does not come again
	attempt  int
	reason   string
	since    time.Time // by the clock
	asked    time.Time // in real time, this attempt
	envelope string
	deadline *timer
	over     bool
	err      string          // what the person is told
	answer   json.RawMessage // payload of the answer
	plain    bool            // the answer is text, not JSON
	wait     chan struct{}   // closed when it is over
}

// dispatch sends it for the first time.
func (s *Server) dispatch(d *delivery) {
	d.since, d.wait = s.clock(), make(chan struct{})
	if !d.once {
		s.open[d] = true
		s.last = d
		if s.holding {
			s.hold = append(s.hold, d)
			return
		}
	}
	s.transmit(d)
}

// transmit sends it by what the app uses.
func (s *Server) transmit(d *delivery) {
	if s.target != nil {
		s.transmitHTTP(d)
		return
	}
	d.envelope = strings.ToLower(random(8) + "-" + random(4) + "-" + random(4) + "-" + random(12))
	list := slices.DeleteFunc(s.alive(), func(k *Socket) bool { return !k.ready })
	if len(list) == 0 {
		s.note(Entry{Kind: KindEnvelope, Name: d.name, Envelope: d.envelope, Attempt: d.attempt, Err: "no socket", Body: d.payload})
		s.failed(d, "dispatch_failed", "timeout")
		return
	}
	i := rand.IntN(len(list) + s.settings.Ghosts)
	if s.settings.Route != nil {
		i = s.settings.Route(list) % len(list)
	}
	if i >= len(list) {
		s.note(Entry{Kind: KindEnvelope, Name: d.name, Envelope: d.envelope, Attempt: d.attempt, Err: "ghost", Body: d.payload})
		s.succeeded(d, nil)
		return
	}
	k := list[i]
	e := obj{"type": d.kind, "envelope_id": d.envelope, "payload": json.RawMessage(d.payload), "accepts_response_payload": d.accepts}
	if !d.once {
		e["retry_attempt"], e["retry_reason"] = d.attempt, d.reason
	}
	s.pending[d.envelope], d.asked = d, time.Now()
	s.note(Entry{Kind: KindEnvelope, Name: d.name, Envelope: d.envelope, Attempt: d.attempt, Socket: k.N, Body: d.payload})
	k.send(text(e))
	d.deadline = s.after(s.settings.AckWithin, true, func() {
		delete(s.pending, d.envelope)
		s.past[d.envelope] = "too late"
		s.failed(d, "operation_timeout", "timeout")
	})
}

// failed is the end of an attempt.
func (s *Server) failed(d *delivery, shown, reason string) {
	s.stop(d.deadline)
	if d.once {
		d.over, d.err = true, shown
		close(d.wait)
		return
	}
	if d.attempt >= len(s.settings.Redeliver) {
		s.end(d)
		s.note(Entry{Kind: KindLost, Name: d.name, Body: d.payload})
		return
	}
	due := d.since.Add(s.settings.Redeliver[d.attempt])
	d.attempt, d.reason = d.attempt+1, reason
	s.after(due.Sub(s.clock()), false, func() { s.transmit(d) })
}

// end is of an event.
func (s *Server) end(d *delivery) {
	d.over = true
	delete(s.open, d)
	close(d.wait)
	s.touch()
}

// succeeded is an answer in time.
func (s *Server) succeeded(d *delivery, answer json.RawMessage) {
	s.stop(d.deadline)
	d.answer = answer
	if d.once {
		d.over = true
		close(d.wait)
		return
	}
	s.end(d)
}

// ack is what a client says by socket.
func (s *Server) ack(k *Socket, b []byte) {
	var in struct {
		Envelope string          `json:"envelope_id"`
		Payload  json.RawMessage `json:"payload"`
	}
	e := Entry{Kind: KindAck, Socket: k.N, Body: string(b)}
	bad := json.Unmarshal(b, &in)
	e.Envelope = in.Envelope
	d := s.pending[in.Envelope]
	if d != nil {
		e.Name, e.Took = d.name, time.Since(d.asked)
	}
	switch {
	case len(b) >= ackCap:
		e.Err = "too large"
		s.problem("an answer by socket of %d bytes was not heard", len(b))
	case bad != nil || in.Envelope == "":
		e.Err = "no answer"
		s.problem("what came by socket is no answer: it has no envelope_id")
	case d == nil && s.past[in.Envelope] == "":
		e.Err = "unknown envelope"
		if !strings.HasPrefix(in.Envelope, "e-") { // of Garbage and Envelope
			s.problem("an answer to an envelope that never was")
		}
	case d == nil:
		e.Err = s.past[in.Envelope]
	default:
		delete(s.pending, in.Envelope)
		s.past[in.Envelope] = "again"
		if len(in.Payload) > 0 && !bytes.Equal(in.Payload, []byte("null")) && !d.accepts {
			s.problem("a payload in the answer to %s, which takes none", d.name)
		}
	}
	s.note(e)
	if e.Err == "" {
		s.succeeded(d, in.Payload)
	}
}

// Acked says whether an envelope of that id, as of Garbage or Envelope, was answered.
func (s *Server) Acked(envelope string) bool {
	return slices.ContainsFunc(s.Journal(), func(e Entry) bool { return e.Kind == KindAck && e.Envelope == envelope })
}

// Envelope sends an envelope of any kind with any payload to one socket, and returns its id (which begins with "e-"). It is not
// sent again.
func (s *Server) Envelope(kind string, payload any) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = "e-" + strings.ToLower(random(16))
	list := slices.DeleteFunc(s.alive(), func(k *Socket) bool { return !k.ready })
	if len(list) == 0 {
		s.t.Error("there is no socket for an envelope")
		return id
	}
	k := list[rand.IntN(len(list))]
	e := obj{"type": kind, "envelope_id": id, "payload": payload, "accepts_response_payload": false}
	s.note(Entry{Kind: KindEnvelope, Name: kind, Envelope: id, Socket: k.N, Body: text(payload)})
	k.send(text(e))
	return id
}
