extension QueueScript {
    /// What is done to single devices.
    static let operations = """
        local operation = {}
        -- add moment bound (device count (field version)*)*
        function operation.add()
            local moment, bound = ARGV[3], tonumber(ARGV[4])
            return groups(5, function(id, first, last)
                local row, is_new = current(id, true)
                if row then raise(row, first, last, moment, bound, is_new) end
            end)
        end
        -- entries device limit
        function operation.entries()
            local row, limit = load(ARGV[3]), tonumber(ARGV[4])
            if row.removed then return {0} end
            if row.epoch ~= epoch then return {2, identity, epoch, text(row.last)} end
            local found = limit > 0 and call('XRANGE', waiting_key(row.id), '-', '+', 'COUNT', limit) or {}
            local number = #found > 0 and tonumber(string.match(found[#found][1], '^%d+')) or 0
            if #found < limit and row.mark and row.mark > number then number = row.mark end
            if number == 0 then return {0} end
            return {1, identity, epoch, text(number), row.mark and 1 or 0, flat(found)}
        end
        -- acknowledge device identity epoch number next remembered
        function operation.acknowledge()
            if ARGV[4] ~= identity or ARGV[5] ~= epoch then return {} end
            local row, number = load(ARGV[3]), tonumber(ARGV[6])
            if row.removed then return {} end
            if row.epoch ~= epoch then
                -- All that the device was told is to read from its cursors, and it has.
                if number < row.last then return {} end
                drop_all(row.id)
                row.epoch, row.mark = epoch, nil
                save(row)
                return {}
            end
            local fields, waiting = versions_key(row.id), waiting_key(row.id)
            local told = flat(call('XRANGE', waiting, '-', ARGV[6]))
            for place = 1, #told, 2 do call('HSET', fields, told[place], told[place + 1]) end
            call('XTRIM', waiting, 'MINID', ARGV[7])
            tidy(row.id, tonumber(ARGV[8]))
            if row.mark and row.mark <= number then
                row.mark = nil
                save(row)
            end
            return told
        end
        -- remove moment forgotten device*
        function operation.remove()
            if ARGV[4] ~= '' and ARGV[4] ~= epoch then return 1 end
            for place = 5, #ARGV do remove(ARGV[place], ARGV[3]) end
            return 0
        end
        -- settle remembered (device count (field version)*)*
        function operation.settle()
            local remembered = tonumber(ARGV[3])
            return groups(4, function(id, first, last)
                local row = load(id)
                -- Of a device that is not known nothing waits.
                if row.epoch == epoch and not row.removed then settle(id, first, last, remembered) end
            end)
        end
        -- adopt moment forgotten bound remembered device mark count (field version)*count (field version)*
        function operation.adopt()
            if ARGV[4] ~= epoch then return 1 end
            local row, is_new = current(ARGV[7], ARGV[8] == '1')
            if not row then return 0 end
            if ARGV[8] == '1' and not is_new then row.mark = draw(row) end
            local last = 9 + 2 * tonumber(ARGV[9])
            settle(row.id, 10, last, tonumber(ARGV[6]))
            raise(row, last + 1, #ARGV, ARGV[3], tonumber(ARGV[5]), true)
            return 0
        end
        """

    /// What goes over many devices, some of them with each call, and what is noted of the queue as a whole.
    static let upkeep = """
        -- page after count: what is known of some devices, and the last one that was looked at
        function operation.page()
            local from = ARGV[3] == '' and '-' or '(' .. ARGV[3]
            local pages, last = {}, ''
            for _, id in ipairs(call('ZRANGEBYLEX', devices, from, '+', 'LIMIT', 0, ARGV[4])) do
                last = id
                local row = load(id)
                if row.removed then
                    pages[#pages + 1] = {id, row.removed}
                elseif row.epoch == epoch then
                    local known, all = {}, call('HGETALL', versions_key(id))
                    for place = 1, #all, 2 do
                        if #all[place + 1] == 20 then
                            known[#known + 1] = all[place]
                            known[#known + 1] = all[place + 1]
                        end
                    end
                    local waiting = flat(call('XRANGE', waiting_key(id), '-', '+'))
                    pages[#pages + 1] = {id, row.mark and 1 or 0, waiting, known}
                end
            end
            return {last, pages}
        end
        -- expire moment count: how many devices got the mark, and whether anything changed
        function operation.expire()
            local moment = ARGV[3]
            local limit = sub(moment, 1, 14)
            local marked, changed = 0, 0
            for _, id in ipairs(call('ZRANGEBYSCORE', removals, '-inf', limit, 'LIMIT', 0, ARGV[4])) do
                if (load(id).removed or '') < moment then
                    call('DEL', device_key(id))
                    call('ZREM', devices, id)
                    call('ZREM', removals, id)
                    changed = 1
                end
            end
            for _, id in ipairs(call('ZRANGEBYSCORE', ages, '-inf', limit, 'LIMIT', 0, ARGV[4])) do
                local oldest
                for _, entry in ipairs(call('XRANGE', waiting_key(id), '-', '+')) do
                    local since = sub(entry[2][2], 21)
                    if not oldest or since < oldest then oldest = since end
                end
                if oldest and oldest < moment then
                    drop_waiting(id)
                    local row = load(id)
                    if row.epoch == epoch and not row.removed then
                        row.mark = draw(row)
                        save(row)
                    end
                    marked, changed = marked + 1, 1
                elseif not oldest then
                    call('ZREM', ages, id)
                    changed = 1
                elseif call('ZADD', ages, 'CH', sub(oldest, 1, 14), id) == 1 then
                    changed = 1
                end
            end
            return {marked, changed}
        end
        -- depth after count
        function operation.depth()
            local from = ARGV[3] == '' and '-' or '(' .. ARGV[3]
            local entries, busy, marked, last = 0, 0, 0, ''
            for _, id in ipairs(call('ZRANGEBYLEX', devices, from, '+', 'LIMIT', 0, ARGV[4])) do
                last = id
                local row = load(id)
                local count = call('XLEN', waiting_key(id))
                entries = entries + count
                if count > 0 then busy = busy + 1 end
                if not row.removed and (row.mark or row.epoch ~= epoch) then marked = marked + 1 end
            end
            return {last, entries, busy, marked}
        end
        function operation.forget() return text(call('HINCRBY', state, 'epoch', 1)) end
        function operation.peer() return call('HGET', state, 'peer') end
        -- behind term
        function operation.behind()
            if tonumber(call('HGET', state, 'peer')) < tonumber(ARGV[3]) then call('HSET', state, 'peer', ARGV[3]) end
            return 0
        end
        -- caught term
        function operation.caught()
            if tonumber(call('HGET', state, 'peer')) <= tonumber(ARGV[3]) then call('HSET', state, 'peer', '0') end
            return 0
        end
        """

    /// Runs the operation that is wanted.
    static let dispatch = """
        return operation[op]()
        """
}
