// Go's net/http and pgx, as a service of this kind is commonly written in Go: one pool, prepared statements (pgx keeps
// them by itself), encoding/json. It serves the same table by the same statements as Lodebase.
//
//	pgx SPEC     (JSON: pool, conninfo, resources; see kit/peers.py)
//
// Listens on a free port of 127.0.0.1 and says "listening PORT". Ends when its standard input does.
package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

type statement struct {
	SQL    string        `json:"sql"`
	Params []interface{} `json:"params"`
	Member string        `json:"member"`
}

type resource struct {
	Name     string        `json:"name"`
	Get      string        `json:"get"`
	Insert   string        `json:"insert"`
	List     statement     `json:"list"`
	Locks    []statement   `json:"locks"`
	Own      []string      `json:"own"`
	Defaults []interface{} `json:"defaults"`
	read     func(row [][]byte) record
}

type spec struct {
	Pool      int32       `json:"pool"`
	Conninfo  string      `json:"conninfo"`
	Begin     statement   `json:"begin"`
	Resources []*resource `json:"resources"`
}

type record interface {
	identity() (id, version, created string)
}

type summary struct {
	ID   string  `json:"id"`
	Slug *string `json:"slug"`
	Name *string `json:"name"`
}

type common struct {
	ID        string      `json:"id"`
	Slug      *string     `json:"slug"`
	Version   json.Number `json:"version"`
	CreatedAt string      `json:"created_at"`
	UpdatedAt string      `json:"updated_at"`
}

func (c *common) identity() (string, string, string) { return c.ID, string(c.Version), c.CreatedAt }

type project struct {
	common
	Name          string       `json:"name"`
	Kind          string       `json:"kind"`
	Status        string       `json:"status"`
	Country       *string      `json:"country"`
	Region        *string      `json:"region"`
	Place         *string      `json:"place"`
	Latitude      *json.Number `json:"latitude"`
	Longitude     *json.Number `json:"longitude"`
	OperatorID    *string      `json:"operator_id"`
	Operator      *summary     `json:"operator"`
	CompanyID     *string      `json:"company_id"`
	Company       *summary     `json:"company"`
	CapexAmount   *json.Number `json:"capex_amount"`
	CapexCurrency *string      `json:"capex_currency"`
	StartYear     *json.Number `json:"start_year"`
	Description   *string      `json:"description"`
}

type stake struct {
	common
	HolderID       *string      `json:"holder_id"`
	Holder         *summary     `json:"holder"`
	IssuerID       *string      `json:"issuer_id"`
	Issuer         *summary     `json:"issuer"`
	ProjectID      *string      `json:"project_id"`
	Project        *summary     `json:"project"`
	Instrument     string       `json:"instrument"`
	Stage          string       `json:"stage"`
	EconomicPct    *json.Number `json:"economic_pct"`
	EconomicMinPct *json.Number `json:"economic_min_pct"`
	EconomicMaxPct *json.Number `json:"economic_max_pct"`
	SharesHeld     *json.Number `json:"shares_held"`
	SharesIssued   *json.Number `json:"shares_issued"`
	VotingPct      *json.Number `json:"voting_pct"`
	VotingMinPct   *json.Number `json:"voting_min_pct"`
	VotingMaxPct   *json.Number `json:"voting_max_pct"`
	Contingent     bool         `json:"contingent"`
	TriggerKind    string       `json:"trigger_kind"`
	Trigger        *string      `json:"trigger"`
	Dilutive       bool         `json:"dilutive"`
	CounterpartyID *string      `json:"counterparty_id"`
	Counterparty   *summary     `json:"counterparty"`
	ValidFrom      *string      `json:"valid_from"`
	ValidTo        *string      `json:"valid_to"`
	Amount         *json.Number `json:"amount"`
	Currency       *string      `json:"currency"`
	FinancingID    *string      `json:"financing_id"`
	Financing      *summary     `json:"financing"`
	Note           *string      `json:"note"`
}

type page struct {
	Items      []record `json:"items"`
	NextCursor *string  `json:"next_cursor"`
}

func text(b []byte) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}

func number(b []byte) *json.Number {
	if b == nil {
		return nil
	}
	n := json.Number(b)
	return &n
}

func truth(b []byte) bool { return len(b) == 1 && b[0] == 't' }

// 2026-01-02 03:04:05.12+00 as 2026-01-02T03:04:05.120000Z
func instant(b []byte) string {
	s := strings.TrimSuffix(string(b), "+00")
	if len(s) == 19 {
		s += "."
	}
	return s[:10] + "T" + s[11:] + strings.Repeat("0", 26-len(s)) + "Z"
}

func about(id, slug, name []byte) *summary {
	if id == nil {
		return nil
	}
	return &summary{string(id), text(slug), text(name)}
}

func readCommon(r [][]byte) common {
	return common{string(r[0]), text(r[1]), json.Number(r[2]), instant(r[3]), instant(r[4])}
}

func readProject(r [][]byte) record {
	return &project{readCommon(r), string(r[5]), string(r[6]), string(r[7]), text(r[8]), text(r[9]), text(r[10]), number(r[11]),
		number(r[12]), text(r[13]), about(r[13], r[19], r[20]), text(r[14]), about(r[14], r[21], r[22]), number(r[15]),
		text(r[16]), number(r[17]), text(r[18])}
}

func readStake(r [][]byte) record {
	return &stake{readCommon(r), text(r[5]), about(r[5], r[29], r[30]), text(r[6]), about(r[6], r[31], r[32]), text(r[7]),
		about(r[7], r[33], r[34]), string(r[8]), string(r[9]), number(r[10]), number(r[11]), number(r[12]), number(r[13]),
		number(r[14]), number(r[15]), number(r[16]), number(r[17]), truth(r[18]), string(r[19]), text(r[20]), truth(r[21]),
		text(r[22]), about(r[22], r[35], r[36]), text(r[23]), text(r[24]), number(r[25]), text(r[26]), text(r[27]),
		about(r[27], r[37], r[38]), text(r[28])}
}

func uuid7() string {
	var b [16]byte
	if _, err := rand.Read(b[6:]); err != nil {
		log.Fatal(err)
	}
	ms := uint64(time.Now().UnixMilli())
	binary.BigEndian.PutUint16(b[0:], uint16(ms>>32))
	binary.BigEndian.PutUint32(b[2:], uint32(ms))
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

type server struct {
	spec
	pool *pgxpool.Pool
}

func (s *server) query(r *http.Request, res *resource, sql string, params ...interface{}) ([]record, error) {
	rows, err := s.pool.Query(r.Context(), sql, append([]interface{}{pgx.QueryResultFormats{pgx.TextFormatCode}}, params...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []record
	for rows.Next() {
		found = append(found, res.read(rows.RawValues()))
	}
	return found, rows.Err()
}

func send(w http.ResponseWriter, status int, v interface{}) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

func (s *server) get(w http.ResponseWriter, r *http.Request, res *resource, id string) {
	found, err := s.query(r, res, res.Get, id)
	if err != nil || len(found) == 0 {
		http.Error(w, fmt.Sprint("not found ", err), http.StatusNotFound)
		return
	}
	_, version, _ := found[0].identity()
	etag := `"` + version + `"`
	w.Header().Set("ETag", etag)
	w.Header().Set("Cache-Control", "no-cache")
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	send(w, http.StatusOK, found[0])
}

func (s *server) list(w http.ResponseWriter, r *http.Request, res *resource) {
	found, err := s.query(r, res, res.List.SQL, res.List.Params...)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p := page{Items: found}
	if len(found) > 50 {
		p.Items = found[:50]
		id, _, created := found[49].identity()
		cursor := base64.RawURLEncoding.EncodeToString([]byte(created + " " + id))
		p.NextCursor = &cursor
		w.Header().Set("Link", "</v1/"+res.Name+"?cursor="+cursor+`>; rel="next"`)
	}
	w.Header().Set("Cache-Control", "no-cache")
	send(w, http.StatusOK, p)
}

// The whole transaction is one batch of prepared statements, one Sync: as few round trips as there can be.
func (s *server) insert(ctx context.Context, res *resource, body map[string]interface{}) (record, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	var batch pgconn.Batch
	batch.ExecPrepared("begin", encode(s.Begin.Params), nil, nil)
	for _, lock := range res.Locks {
		batch.ExecPrepared("lock_"+lock.Member, encode([]interface{}{fmt.Sprintf("{%v}", body[lock.Member])}), nil, nil)
	}
	params := []interface{}{uuid7(), body["slug"]}
	for i, name := range res.Own {
		if v, given := body[name]; given {
			params = append(params, v)
		} else {
			params = append(params, res.Defaults[i])
		}
	}
	batch.ExecPrepared("insert_"+res.Name, encode(params), nil, nil)
	results, err := conn.Conn().PgConn().ExecBatch(ctx, &batch).ReadAll()
	if err != nil {
		return nil, err
	}
	rows := results[len(results)-1].Rows
	if len(rows) != 1 {
		return nil, fmt.Errorf("%d rows", len(rows))
	}
	return res.read(rows[0]), nil
}

// Parameters as text.
func encode(params []interface{}) [][]byte {
	out := make([][]byte, len(params))
	for i, p := range params {
		if p != nil {
			out[i] = []byte(fmt.Sprint(p))
		}
	}
	return out
}

func (s *server) prepare(ctx context.Context, conn *pgx.Conn) error {
	statements := map[string]string{"begin": s.Begin.SQL}
	for _, res := range s.Resources {
		statements["insert_"+res.Name] = res.Insert
		for _, lock := range res.Locks {
			statements["lock_"+lock.Member] = lock.SQL
		}
	}
	for name, sql := range statements {
		if _, err := conn.Prepare(ctx, name, sql); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) post(w http.ResponseWriter, r *http.Request, res *resource) {
	var body map[string]interface{}
	decoder := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	made, err := s.insert(r.Context(), res, body)
	if err != nil || made == nil {
		http.Error(w, fmt.Sprint("not made ", err), http.StatusInternalServerError)
		return
	}
	id, version, _ := made.identity()
	w.Header().Set("ETag", `"`+version+`"`)
	w.Header().Set("Location", "/v1/"+res.Name+"/"+id)
	send(w, http.StatusCreated, made)
}

func (s *server) route(res *resource) {
	http.HandleFunc("/v1/"+res.Name, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			s.post(w, r, res)
		} else {
			s.list(w, r, res)
		}
	})
	http.HandleFunc("/v1/"+res.Name+"/", func(w http.ResponseWriter, r *http.Request) {
		s.get(w, r, res, strings.TrimPrefix(r.URL.Path, "/v1/"+res.Name+"/"))
	})
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	s := &server{}
	file, err := os.ReadFile(os.Args[1])
	must(err)
	must(json.Unmarshal(file, &s.spec))
	config, err := pgxpool.ParseConfig(s.Conninfo)
	must(err)
	config.MaxConns = s.Pool
	config.AfterConnect = s.prepare
	s.pool, err = pgxpool.ConnectConfig(context.Background(), config)
	must(err)
	readers := map[string]func([][]byte) record{"projects": readProject, "stakes": readStake}
	for _, res := range s.Resources {
		res.read = readers[res.Name]
		s.route(res)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	go func() { log.Fatal(http.Serve(listener, nil)) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
}
