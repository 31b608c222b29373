// The one place where Boost.JSON is compiled; everybody else includes its declarations only.
#include <boost/json/src.hpp>
