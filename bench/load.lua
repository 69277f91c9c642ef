-- What wrk sends, and what it found out, printed as one line of JSON.
--
-- Arguments, after `--`: the workload, the number of threads, whether every status is counted, and a Lua file that
-- returns { users, rows, queries, pages, text, run }.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

local data, method_of
local json = { ["Content-Type"] = "application/json" }
local html = { ["Accept"] = "text/html,application/xhtml+xml" }
local free, first, last = {}, 1, 0 -- the pages of this thread that nobody is editing, oldest first
local count = 0
statuses = {}

-- A text that no request had before, so that every edit makes a version and every page a slug of its own.
local function fresh()
  count = count + 1
  return data.run .. "-" .. number .. "-" .. count
end

local requests = {}

function requests.health()
  return wrk.format("GET", "/health")
end

function requests.get_user()
  return wrk.format("GET", "/users/" .. math.random(data.users))
end

function requests.get_post()
  return wrk.format("GET", "/posts/" .. math.random(data.rows))
end

function requests.page_html()
  return wrk.format("GET", "/posts/" .. math.random(data.rows), html)
end

function requests.list_posts()
  return wrk.format("GET", "/posts")
end

function requests.search()
  return wrk.format("GET", "/search?q=" .. data.queries[math.random(#data.queries)])
end

function requests.create_post()
  local body = '{"user_id":' .. math.random(data.users) .. ',"content":"# Made ' .. fresh() .. data.text .. '"}'
  return wrk.format("POST", "/posts", json, body)
end

function requests.edit_post()
  local page = free[first]
  if not page then
    -- Every page of this thread is being edited: a read keeps the connection busy.
    return requests.get_post()
  end
  free[first] = nil
  first = first + 1
  local body = '{"content":"# Page ' .. page[1] .. "\\n\\n" .. fresh() .. data.text .. '","title":"Page ' .. page[1] .. '"}'
  local headers = { ["Content-Type"] = "application/json", ["If-Match"] = '"' .. page[2] .. '"' }
  return wrk.format("PUT", "/posts/" .. page[1], headers, body)
end

function requests.mixed()
  local share = math.random(100)
  if share <= 50 then return requests.get_post() end
  if share <= 75 then return requests.get_user() end
  if share <= 90 then return requests.list_posts() end
  if share <= 95 then return requests.create_post() end
  return requests.edit_post()
end

local function count_status(status)
  statuses[status] = (statuses[status] or 0) + 1
end

local edits = { edit_post = true, mixed = true }

function init(args)
  local workload, thread_count, every_status = args[1], tonumber(args[2]), args[3] == "all"
  data = dofile(args[4])
  math.randomseed(os.time() * 1000 + number)
  request = requests[workload]
  if edits[workload] then
    for index, page in ipairs(data.pages) do
      if index % thread_count == number - 1 then
        last = last + 1
        free[last] = page
      end
    end
    -- Only an answer to an edit says which page is free again, and at which version; a read of a page says the version
    -- too, but may be older than an edit in flight. The entity tag of a new version differs from that in data.pages.
    function response(status, headers, body)
      count_status(status)
      local id, version = body:match('^{"post_id":(%d+).-"tags":%[.-%],"version":(%d+)')
      if id and status == 200 then
        id, version = tonumber(id), tonumber(version)
        local known = data.versions[id]
        if known and version > known then
          data.versions[id] = version
          last = last + 1
          free[last] = { id, version }
        end
      end
    end
    data.versions = {}
    for _, page in ipairs(data.pages) do data.versions[page[1]] = page[2] end
  elseif every_status then
    -- Costs a little for each answer; without it wrk itself counts statuses from 400 on.
    function response(status) count_status(status) end
  end
end

local function number_of(value)
  return string.format("%.0f", value)
end

function done(summary, latency)
  local by_status = {}
  for _, thread in ipairs(threads) do
    for status, times in pairs(thread:get("statuses") or {}) do
      by_status[status] = (by_status[status] or 0) + times
    end
  end
  local listed = {}
  for status, times in pairs(by_status) do
    table.insert(listed, '"' .. number_of(status) .. '":' .. number_of(times))
  end
  local errors = summary.errors
  io.write(
    '\nJSON {"requests":', number_of(summary.requests),
    ',"duration_us":', number_of(summary.duration),
    ',"percentiles_us":[', number_of(latency:percentile(50)),
    ',', number_of(latency:percentile(99)),
    ',', number_of(latency:percentile(99.9)),
    '],"connect":', number_of(errors.connect),
    ',"read":', number_of(errors.read),
    ',"write":', number_of(errors.write),
    ',"timeout":', number_of(errors.timeout),
    ',"status":', number_of(errors.status),
    ',"statuses":{', table.concat(listed, ","), "}}\n"
  )
end
