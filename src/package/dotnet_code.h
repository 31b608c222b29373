#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "package/dotnet_annotations.h"
#include "package/dotnet_metadata.h"
#include "package/pe_image.h"

namespace kelvin::package {

// A place in an assembly's code that does not go with trimming or AOT.
struct DotnetUse {
  std::string code;    // "IL2026", or a rule of Kelvin's own for what the trimmer is silent on
  std::string member;  // what is called
  std::string caller;
  std::uint32_t il_offset = 0;
};

// Every call in the assembly's methods that the trimmer (IL2xxx), the AOT compiler (IL3050) or the
// single-file analysis (IL300x) warns of, as far as it can be told without following values: types
// and names written down as literals right before the call are not reported. Calls within methods
// that pass the requirement on or suppress the warning are not either. Method bodies that are no IL
// end there.
std::vector<DotnetUse> FindUses(const PeImage& image, const DotnetMetadata& metadata,
                                const DotnetAnnotations& annotations, const KnownMembers& known);

}  // namespace kelvin::package
