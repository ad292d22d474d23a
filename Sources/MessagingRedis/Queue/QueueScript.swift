/// The script that does every operation of a queue, in one step of the server: docs/decisions/0012-redis.md says which
/// keys there are.
///
/// Versions and moments are 20 decimal digits, which compare as text in every locale; numbers of entries are small enough
/// for Lua's own. What an operation finds out of place it answers as an error, and has written nothing by then.
enum QueueScript {
    /// The whole text.
    static let text = [foundation, attachment, rows, raising, acknowledging, operations, upkeep, dispatch]
        .joined(separator: "\n")

    /// The error of an operation that met another run of the server, or a storage that was lost.
    static let strangerWord = "STRANGER"

    private static let foundation = """
        local op, run = ARGV[1], ARGV[2]
        local call, sub = redis.call, string.sub
        local state = KEYS[1]
        local prefix = sub(state, 1, -6)
        local devices, ages, removals = prefix .. 'devices', prefix .. 'ages', prefix .. 'removals'
        local function device_key(id) return prefix .. 'device:' .. id end
        local function waiting_key(id) return prefix .. 'waiting:' .. id end
        local function versions_key(id) return prefix .. 'versions:' .. id end
        local function text(number) return string.format('%.0f', number) end
        local head = call('HMGET', state, 'identity', 'epoch', 'run')
        local identity, epoch, recorded = head[1], head[2], head[3]
        """

    /// `attach previous identity jump`: 0 when all is as it was, 1 when the storage is new, 2 when it may have lost writes.
    private static let attachment = """
        if op == 'attach' then
            if not identity then
                call('HSET', state, 'identity', ARGV[4], 'epoch', ARGV[5], 'peer', '1', 'run', run)
                return 1
            end
            if recorded == run and (ARGV[3] == '' or ARGV[3] == run) then return 0 end
            call('HSET', state, 'identity', ARGV[4], 'run', run)
            call('HINCRBY', state, 'epoch', ARGV[5])
            if call('HGET', state, 'peer') == '0' then call('HSET', state, 'peer', '1') end
            return 2
        end
        if not identity or recorded ~= run then
            return redis.error_reply('STRANGER this is not the storage that was attached')
        end
        """

    private static let rows = """
        local function load(id)
            local row = call('HMGET', device_key(id), 'last', 'epoch', 'mark', 'removed')
            return { id = id, last = tonumber(row[1] or '0'), epoch = row[2],
                mark = row[3] and tonumber(row[3]), removed = row[4] }
        end
        local function save(row)
            local key = device_key(row.id)
            call('HSET', key, 'last', text(row.last), 'epoch', row.epoch)
            if row.mark then call('HSET', key, 'mark', text(row.mark)) else call('HDEL', key, 'mark') end
            call('ZADD', devices, 0, row.id)
        end
        local function draw(row)
            row.last = row.last + 1
            return row.last
        end
        local function drop_all(id)
            call('DEL', waiting_key(id), versions_key(id))
            call('ZREM', ages, id)
        end
        local function drop_waiting(id)
            local fields = versions_key(id)
            for _, entry in ipairs(call('XRANGE', waiting_key(id), '-', '+')) do
                call('HDEL', fields, entry[2][1])
            end
            call('DEL', waiting_key(id))
            call('ZREM', ages, id)
        end
        local function current(id, is_marked)
            local row = load(id)
            if row.removed then return nil end
            if row.epoch == epoch then return row, false end
            drop_all(id)
            row.epoch = epoch
            row.mark = nil
            if is_marked then row.mark = draw(row) end
            return row, true
        end
        """

    private static let raising = """
        local function raise(row, first, last, moment, bound, is_changed)
            local fields, waiting = versions_key(row.id), waiting_key(row.id)
            for place = first, last, 2 do
                local field, version = ARGV[place], ARGV[place + 1]
                local known = call('HGET', fields, field)
                if not known or sub(known, 1, 20) < version then
                    local since = moment
                    if known and #known > 20 then
                        since = sub(known, 21, 40)
                        call('XDEL', waiting, sub(known, 41) .. '-0')
                    end
                    local number = text(draw(row))
                    call('XADD', waiting, number .. '-0', field, version .. since)
                    call('HSET', fields, field, version .. since .. number)
                    call('ZADD', ages, 'LT', sub(since, 1, 14), row.id)
                    is_changed = true
                end
            end
            if not is_changed then return end
            if call('XLEN', waiting) > bound then
                drop_waiting(row.id)
                row.mark = draw(row)
            end
            save(row)
        end
        """

    private static let acknowledging = """
        local function tidy(id, remembered)
            local fields, waiting = versions_key(id), waiting_key(id)
            local count = call('XLEN', waiting)
            if count == 0 then
                call('DEL', waiting)
                call('ZREM', ages, id)
            end
            if call('HLEN', fields) - count <= remembered then return end
            if count == 0 then return call('DEL', fields) end
            local all = call('HGETALL', fields)
            for place = 1, #all, 2 do
                if #all[place + 1] == 20 then call('HDEL', fields, all[place]) end
            end
        end
        local function settle(id, first, last, remembered)
            local fields = versions_key(id)
            for place = first, last, 2 do
                local field, version = ARGV[place], ARGV[place + 1]
                local known = call('HGET', fields, field)
                if not known or sub(known, 1, 20) <= version then
                    if known and #known > 20 then call('XDEL', waiting_key(id), sub(known, 41) .. '-0') end
                    call('HSET', fields, field, version)
                end
            end
            tidy(id, remembered)
        end
        local function flat(entries)
            local list = {}
            for _, entry in ipairs(entries) do
                list[#list + 1] = entry[2][1]
                list[#list + 1] = sub(entry[2][2], 1, 20)
            end
            return list
        end
        local function groups(first, body)
            local place = first
            while place <= #ARGV do
                local last = place + 1 + 2 * tonumber(ARGV[place + 1])
                body(ARGV[place], place + 2, last)
                place = last + 1
            end
            return 0
        end
        local function remove(id, moment)
            if load(id).removed then return end
            drop_all(id)
            call('DEL', device_key(id))
            call('HSET', device_key(id), 'epoch', epoch, 'removed', moment)
            call('ZADD', devices, 0, id)
            call('ZADD', removals, sub(moment, 1, 14), id)
        end
        """
}
