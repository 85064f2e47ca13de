/* Registers and instructions that every Cortex-M core has (Armv6-M, v7-M and v8-M manuals). */
#ifndef TINYML_CORTEX_M_H
#define TINYML_CORTEX_M_H

#include <stdint.h>

#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#define PORT_HAS_FAULT_STATUS 0 /* every fault is a HardFault without a reason */
#else
#define PORT_HAS_FAULT_STATUS 1
#endif

#if defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__)
#define PORT_HAS_V7_MPU 1
#else
#define PORT_HAS_V7_MPU 0
#endif

#if defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8_1M_MAIN__)
#define PORT_HAS_STACK_LIMIT 1 /* MSPLIM */
#define PORT_HAS_SECURE_FAULT 1
#else
#define PORT_HAS_STACK_LIMIT 0
#define PORT_HAS_SECURE_FAULT 0
#endif

static inline volatile uint32_t *port_register(uint32_t address)
{
  return (volatile uint32_t *)address;
}

#define SYSTICK_CTRL (*port_register(0xE000E010u))
#define SYSTICK_LOAD (*port_register(0xE000E014u))
#define SYSTICK_VALUE (*port_register(0xE000E018u))
#define SYSTICK_CTRL_ENABLE (1u << 0)
#define SYSTICK_CTRL_INTERRUPT (1u << 1)
#define SYSTICK_CTRL_CORE_CLOCK (1u << 2)

#define SCB_ICSR (*port_register(0xE000ED04u))
#define SCB_ICSR_SYSTICK_PENDING (1u << 26)
#define SCB_VTOR (*port_register(0xE000ED08u))
#define SCB_AIRCR (*port_register(0xE000ED0Cu))
#define SCB_AIRCR_RESET 0x05FA0004u
#define SCB_CFSR (*port_register(0xE000ED28u))
#define SCB_CFSR_MEMORY 0x000000FFu
#define SCB_CFSR_BUS 0x0000FF00u
#define SCB_CFSR_USAGE 0xFFFF0000u
#define SCB_CFSR_MEMORY_STACKING (1u << 4)
#define SCB_CFSR_MEMORY_ADDRESS_VALID (1u << 7)
#define SCB_CFSR_BUS_STACKING (1u << 12)
#define SCB_CFSR_BUS_ADDRESS_VALID (1u << 15)
#define SCB_CFSR_STACK_LIMIT (1u << 20)
#define SCB_HFSR (*port_register(0xE000ED2Cu))
#define SCB_MMFAR (*port_register(0xE000ED34u))
#define SCB_BFAR (*port_register(0xE000ED38u))
#define SCB_CPACR (*port_register(0xE000ED88u))
#define SCB_CPACR_FPU (0xFu << 20)
#define SCB_SFSR (*port_register(0xE000EDE4u))
#define SCB_SFAR (*port_register(0xE000EDE8u))

#define MPU_TYPE (*port_register(0xE000ED90u))
#define MPU_CTRL (*port_register(0xE000ED94u))
#define MPU_CTRL_ENABLE (1u << 0)
#define MPU_CTRL_DEFAULT_MAP (1u << 2)
#define MPU_RNR (*port_register(0xE000ED98u))
#define MPU_RBAR (*port_register(0xE000ED9Cu))
#define MPU_RASR (*port_register(0xE000EDA0u))

static inline void port_barrier(void) { __asm volatile("dsb\n\tisb" ::: "memory"); }

static inline void port_interrupts_off(void) { __asm volatile("cpsid i" ::: "memory"); }

static inline void port_interrupts_on(void) { __asm volatile("cpsie i" ::: "memory"); }

static inline void port_wait_for_interrupt(void) { __asm volatile("dsb\n\twfi" ::: "memory"); }

static inline void port_nvic_enable(uint32_t irq)
{
  *port_register(0xE000E100u + 4u * (irq / 32u)) = 1u << (irq % 32u);
}

static inline void port_nvic_disable(uint32_t irq)
{
  *port_register(0xE000E180u + 4u * (irq / 32u)) = 1u << (irq % 32u);
}

static inline void port_nvic_set_pending(uint32_t irq)
{
  *port_register(0xE000E200u + 4u * (irq / 32u)) = 1u << (irq % 32u);
}

#endif
