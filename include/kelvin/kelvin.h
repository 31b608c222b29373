#pragma once

// All that a function includes.
#include "kelvin/context.h"
#include "kelvin/environment.h"
#include "kelvin/handler_error.h"
#include "kelvin/logger.h"
#include "kelvin/module.h"
#include "kelvin/run.h"
#include "kelvin/streaming.h"
#include "kelvin/uuid.h"
