// Work of a library that may crash, in a process of its own. Local.
#pragma once

#include "hpot/io/hdf5_file.hpp"

#include <functional>
#include <string>

namespace hpot {

/// What `work` returns, run in a child of this process; its InputError, or one that says that `where` is damaged when the
/// child crashes. The child ends without flushing or finalising anything; `work` neither communicates nor uses a device.
/// Within `work`, and where no process can be made, it runs in the process that calls.
Array read_apart(const std::string& where, const std::function<Array()>& work);

}  // namespace hpot
